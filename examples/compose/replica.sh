# A fresh copy of the primary at every start; then what it writes is streamed.
set -eu
data=/tmp/replica
rm -rf "$data"
pg_basebackup --host=primary --username=postgres --checkpoint=fast --write-recovery-conf -D "$data"
chmod 700 "$data"
exec postgres -D "$data" -c listen_addresses='*'
