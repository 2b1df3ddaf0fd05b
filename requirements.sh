# Pin the newest versions that fit pyproject.toml: requirements.txt to run, requirements-dev.txt to test, requirements-faults.txt to fuzz.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pin() { "$1/bin/pip" freeze --exclude pixmill --exclude pip --exclude setuptools | grep -iv '^-e' | LC_ALL=C sort -f; }

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
