#!/bin/sh
# What some tests need beside Python: a PostgreSQL server, which they start themselves, and an engine of SQL on FHIR.
# Installs what is missing where that can be done, and says so where it cannot; those tests are skipped then.
cd "$(dirname "$0")/.." || exit 1

if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  echo "PostgreSQL server: here"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y postgresql; } >/dev/null 2>&1; then
  echo "PostgreSQL server: installed"
else
  echo "PostgreSQL server: cannot be installed here; the tests that need it are skipped"
fi

if [ -d tests/sql_on_fhir/node_modules/@medplum/core ]; then
  echo "Engine of SQL on FHIR: here"
elif command -v npm >/dev/null &&
  npm install --prefix tests/sql_on_fhir --silent --no-audit --no-fund --no-package-lock --fetch-retries=1 >/dev/null 2>&1; then
  echo "Engine of SQL on FHIR: installed"
else
  echo "Engine of SQL on FHIR: cannot be installed here; the tests that need it are skipped"
fi
