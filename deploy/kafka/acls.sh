#!/bin/sh
# Written by `python -m deploy.kafka.acls` from the table of topics: do not edit.
# Usage: BOOTSTRAP=host:port [PREFIX=…] [ADMIN_CONFIG=file] acls.sh
# PREFIX is ROOMSYNC_TOPIC_PREFIX; principals are User:<service>. Write and Read imply Describe.
set -eu
grant() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" ${ADMIN_CONFIG:+--command-config "$ADMIN_CONFIG"} --add --force "$@"; }
grant --allow-principal User:webhook-receiver --operation Write --topic "${PREFIX:-}notifications.graph"
grant --allow-principal User:webhook-receiver --operation Write --topic "${PREFIX:-}notifications.google"
grant --allow-principal User:webhook-receiver --operation Write --topic "${PREFIX:-}commands"
grant --allow-principal User:webhook-receiver --operation Describe --topic "${PREFIX:-}dead-letters"
grant --allow-principal User:sync-worker --operation Read --topic "${PREFIX:-}notifications.graph"
grant --allow-principal User:sync-worker --operation Read --topic "${PREFIX:-}notifications.google"
grant --allow-principal User:sync-worker --operation Read --topic "${PREFIX:-}commands"
grant --allow-principal User:sync-worker --operation Read --operation Write --topic "${PREFIX:-}calendar-state"
grant --allow-principal User:sync-worker --operation Read --operation Write --topic "${PREFIX:-}observations"
grant --allow-principal User:sync-worker --operation Write --topic "${PREFIX:-}dead-letters"
grant --allow-principal User:sync-worker --operation Read --group "${PREFIX:-}sync-worker"
grant --allow-principal User:sync-worker --operation Write --transactional-id "${PREFIX:-}sync-worker-" --resource-pattern-type prefixed
grant --allow-principal User:room-status --operation Read --topic "${PREFIX:-}observations"
grant --allow-principal User:room-status --operation Read --topic "${PREFIX:-}repairs"
grant --allow-principal User:room-status --operation Read --operation Write --topic "${PREFIX:-}meeting-state"
grant --allow-principal User:room-status --operation Read --operation Write --topic "${PREFIX:-}room-rejections"
grant --allow-principal User:room-status --operation Read --operation Write --topic "${PREFIX:-}room-status"
grant --allow-principal User:room-status --operation Write --topic "${PREFIX:-}dead-letters"
grant --allow-principal User:room-status --operation Read --group "${PREFIX:-}room-status"
grant --allow-principal User:room-status --operation Write --transactional-id "${PREFIX:-}room-status-" --resource-pattern-type prefixed
grant --allow-principal User:portal --operation Write --topic "${PREFIX:-}commands"
grant --allow-principal User:portal --operation Read --topic "${PREFIX:-}room-rejections"
grant --allow-principal User:portal --operation Describe --topic "${PREFIX:-}meeting-state"
grant --allow-principal User:portal --operation Describe --topic "${PREFIX:-}dead-letters"
grant --allow-principal User:operator --operation Write --topic "${PREFIX:-}repairs"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}notifications.graph"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}notifications.google"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}commands"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}calendar-state"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}observations"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}repairs"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}meeting-state"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}room-status"
grant --allow-principal User:subscriber --operation Read --topic "${PREFIX:-}room-status"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}room-rejections"
grant --allow-principal User:subscriber --operation Read --topic "${PREFIX:-}room-rejections"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}erasures"
grant --allow-principal User:operator --operation Create --operation DescribeConfigs --operation AlterConfigs --operation Read --topic "${PREFIX:-}dead-letters"
grant --allow-principal User:subscriber --operation Read --group "${PREFIX:-}subscriber-" --resource-pattern-type prefixed
