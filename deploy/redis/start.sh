#!/bin/sh
# Starts one of the two Redis servers: `start.sh views` or `start.sh registry`, then options for redis-server.
# Passwords come from the files $SECRETS/redis_<user>; only their hashes reach the server.
set -eu
server=$1
shift
here=$(dirname "$0")
acl=${ACL_FILE:-/tmp/users.acl}
secrets=${SECRETS:-/run/secrets}

umask 077
sed -n "/^# --- $server ---\$/,/^\$/{/^user /p;}" "$here/users.acl" > "$acl"
for user in room-status sync-worker portal notifier operator; do
  mark="@$(echo "$user" | tr 'a-z-' 'A-Z_')@"
  grep -q "$mark" "$acl" || continue
  file="$secrets/redis_$(echo "$user" | tr - _)"
  [ -s "$file" ] || { echo "$file is missing or empty: put the password of $user there" >&2; exit 1; }
  hash=$(tr -d '\n' < "$file" | sha256sum | cut -d ' ' -f 1)
  sed -i "s/$mark/$hash/" "$acl"
done

case $server in
  views) set -- --save '' --appendonly no --zset-max-ziplist-entries 512 "$@" ;;
  registry) set -- --save '' --appendonly yes --appendfsync always --no-appendfsync-on-rewrite no --maxmemory-policy noeviction "$@" ;;
  *) echo "views or registry, not $server" >&2; exit 2 ;;
esac
exec redis-server --daemonize no --aclfile "$acl" "$@"
