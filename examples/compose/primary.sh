# Replicas stream without a password too, as everybody in this network: a first start runs this.
echo "host replication all all trust" >> "$PGDATA/pg_hba.conf"
