#!/bin/sh
# Makes the files below ./secrets that are missing: random passwords, the Redis addresses with them, and empty files for what
# only you know (provider secrets). The master key comes from `roomsync keys new`; keep a copy of it elsewhere.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
new() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
[ -e microsoft_client_secret ] || : > microsoft_client_secret
[ -e google_client_secret ] || : > google_client_secret
[ -e smtp_url ] || : > smtp_url # empty: nobody is told by mail
[ -e push_private_key ] || : > push_private_key # empty: no browser shows notices
for user in room-status sync-worker portal notifier operator; do
  name=$(echo "$user" | tr - _)
  [ -e "redis_$name" ] || new > "redis_$name"
  printf 'redis://%s:%s@redis-registry:6379/0' "$user" "$(cat "redis_$name")" > "registry_url_$name"
  [ "$user" = sync-worker ] || printf 'redis://%s:%s@redis-views:6379/0' "$user" "$(cat "redis_$name")" > "view_url_$name"
done
# Containers run as other users than you and get the files with the rights they have here; the directory keeps others out.
chmod 644 ./*
chmod 700 .
[ -e master_key ] || echo "now: roomsync keys new > $PWD/master_key, and chmod 644 it" >&2
[ -e hook_keys ] || echo "then: roomsync keys hooks > $PWD/hook_keys (with that master key), and chmod 644 it" >&2
