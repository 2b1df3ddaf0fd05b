# Pin the newest versions that fit pyproject.toml: requirements.txt to run, requirements-dev.txt to test, requirements-faults.txt to fuzz,
# requirements-docs.txt for the documentation site, in an environment of its own, requirements-release.txt to list the components of a release.
# Every pin has the digests of all files of that version, for every system. `sh requirements.sh digests` keeps the versions, and
# writes the digests again: run it after a version in one of these files, or in docker/requirements-*.txt, was changed by hand.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pin() { "$1/bin/pip" freeze --exclude pixmill --exclude pip --exclude setuptools | grep -iv '^-e' | LC_ALL=C sort -f; }
digests() { # of what the file pins; its comments at the top stay
  sed '/^ *--hash/d; s/ *\\$//' "$1" > "$work/pins.txt"
  "$work/uv/bin/uv" pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --output-file "$work/digests.txt" "$work/pins.txt"
  { grep '^#' "$1"; cat "$work/digests.txt"; } > "$work/whole.txt"
  rm "$work/digests.txt"
  cp "$work/whole.txt" "$1"
}

python3 -m venv "$work/uv"
"$work/uv/bin/pip" install --quiet uv

if [ "${1:-}" != digests ]; then
  python3 -m venv "$work/run"
  "$work/run/bin/pip" install --quiet .
  { echo "# Everything that pixmill needs to run, pinned. Made by: make lock"; pin "$work/run"; } > requirements.txt

  python3 -m venv "$work/dev"
  "$work/dev/bin/pip" install --quiet -r requirements.txt
  "$work/dev/bin/pip" install --quiet '.[dask,heif,jxl,otel,parquet,ray,s3]' --group dev 2>/dev/null ||
    { "$work/dev/bin/pip" install --quiet --upgrade pip && "$work/dev/bin/pip" install --quiet '.[dask,heif,jxl,otel,parquet,ray,s3]' --group dev; }
  { echo "# Everything that the tests need besides requirements.txt, pinned. Made by: make lock"; pin "$work/dev" | grep -vxFf requirements.txt; } > requirements-dev.txt

  "$work/dev/bin/pip" install --quiet --group faults
  { echo "# What make faults needs besides requirements-dev.txt, pinned. Made by: make lock"
    pin "$work/dev" | grep '^atheris==' | sed "s/$/; sys_platform == 'linux' and platform_machine == 'x86_64' and python_version < '3.14'/"; } > requirements-faults.txt

  python3 -m venv "$work/docs"
  "$work/docs/bin/pip" install --quiet zensical 'pymdown-extensions<13' # 13 needs Python 3.11.5, and Debian 12 has 3.11.2
  { echo "# What builds the documentation site, pinned. Made by: make lock"; pin "$work/docs"; } > requirements-docs.txt

  { echo "# What release.yml needs to list the components of a release, pinned. Made by: make lock"
    "$work/uv/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --group release; } > requirements-release.txt
fi

for file in requirements.txt requirements-dev.txt requirements-faults.txt requirements-docs.txt requirements-release.txt docker/requirements-build.txt docker/requirements-image.txt; do
  digests "$file"
done
