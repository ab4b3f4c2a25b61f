#!/usr/bin/env bash
# Clones the checkout as an unprivileged user with an empty home and runs `npm start` as a newcomer would: it must serve, continue
# from its data when started again, and leave no process behind.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d /tmp/continuo-newcomer.XXXXXX)
user=nobody
[ "$(id -u)" = 0 ] || user=$(id -un)

as_user() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups env -i HOME="$work/home" PATH="$PATH" CI=true npm_config_update_notifier=false "$@"
  else
    env -i HOME="$work/home" PATH="$PATH" CI=true npm_config_update_notifier=false "$@"
  fi
}

pid=
finish() {
  status=$?
  if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then kill -TERM -- "-$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi
  [ $status = 0 ] || { echo '--- output'; cat "$work/out" 2>/dev/null || true; }
  rm -rf "$work"
  exit $status
}
trap finish EXIT

git -c safe.directory='*' clone -q "file://$top" "$work/continuo"
mkdir "$work/home"
chmod 755 "$work"
[ "$(id -u)" != 0 ] || chown -R "$user" "$work"

run_once() {
  : >"$work/out"
  cd "$work/continuo"
  set -m
  as_user npm start >"$work/out" 2>&1 &
  pid=$!
  set +m
  for _ in $(seq 1 1200); do
    grep -q '^ready in' "$work/out" && break
    kill -0 "$pid" 2>/dev/null || { echo 'npm start ended early'; exit 1; }
    sleep 0.25
  done
  url=$(sed -n 's/^service hello: \(http[^ ]*\)$/\1/p' "$work/out" | head -n 1)
  [ -n "$url" ] || { echo 'no service address was printed'; exit 1; }
  curl -fsS --max-time 5 "$url" | grep -q 'Hello from Continuo' || { echo "no greeting at $url"; exit 1; }
  kill -INT -- "-$pid"
  wait "$pid" || true
  pid=
  # npm may go before what it started has: containers have their grace period.
  for _ in $(seq 1 40); do
    left=$(ps -eo pid=,args= | grep -F "$work/continuo" | grep -v grep || true)
    [ -n "$left" ] || break
    sleep 0.25
  done
  [ -z "$left" ] || { echo "processes left behind:"; echo "$left"; exit 1; }
}

run_once
run_once
echo 'npm start serves, stops without a trace, and continues from its data'
