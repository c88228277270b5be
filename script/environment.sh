# Sourced by the other scripts. In: nothing. Out: the repository root as working directory, tools of
# package managers that keep them off the PATH, and two ways of talking: `say` and `die`.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf '\033[1;31merror:\033[0m %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# A pipe or a CI log gets plain text.
if [ ! -t 1 ]; then
  say() { printf '==> %s\n' "$*"; }
  die() { printf 'error: %s\n' "$*" >&2; exit 1; }
fi

# rustup's own place, when the login shell has not been restarted since it was installed.
if ! have cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
  PATH="$HOME/.cargo/bin:$PATH"
fi

# Debian keeps the PostgreSQL server out of the PATH, one folder for each version; the newest comes first.
for folder in /usr/lib/postgresql/*/bin; do
  if [ -x "$folder/postgres" ]; then PATH="$folder:$PATH"; fi
done

# Where script/bootstrap puts a Node of its own when the system's is too old.
if [ -x target/node/node_modules/.bin/node ]; then PATH="$PWD/target/node/node_modules/.bin:$PATH"; fi

# Homebrew does not link the database client libraries and PostgreSQL into its prefix.
if [ "$(uname -s)" = Darwin ] && have brew; then
  prefix="$(brew --prefix)"
  for keg in libpq mariadb-connector-c postgresql@17 rustup; do
    if [ -d "$prefix/opt/$keg" ]; then
      PATH="$prefix/opt/$keg/bin:$PATH"
      PKG_CONFIG_PATH="$prefix/opt/$keg/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    fi
  done
  export PKG_CONFIG_PATH
fi

# Applications are not in the PATH on macOS; the tests look there and at CHROMIUM.
for application in "Chromium" "Google Chrome"; do
  binary="/Applications/$application.app/Contents/MacOS/$application"
  if [ -z "${CHROMIUM:-}" ] && [ -x "$binary" ]; then export CHROMIUM="$binary"; fi
done
export PATH
