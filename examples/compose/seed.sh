# The first commit of acme/site, and the repository's record.
set -eu
site=/data/repositories/acme/site.git
if [ ! -e "$site" ]; then
    work=$(mktemp -d)
    git init --quiet --initial-branch=main "$work"
    echo "A site." > "$work/README"
    git -C "$work" add README
    git -C "$work" -c user.name=ann -c user.email=ann@example.com commit --quiet --message "A site"
    mkdir -p "$(dirname "$site")"
    git clone --quiet --bare "$work" "$site"
fi
# 409 when it is there already.
status=$(curl -sS -o /dev/null -w '%{http_code}' -H 'content-type: application/json' \
    -d '{"workspace": "acme", "name": "site"}' "$REPOSITORIES_URL/repositories")
[ "$status" = 201 ] || [ "$status" = 409 ]
