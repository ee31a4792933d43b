#!/usr/bin/env bash
# Build, push and pin an image of the version in pyproject.toml: deploy/release.sh registry.example.com/onbehalf
# docs/releasing.md says what comes before and after.
# Needs docker with buildx, kustomize, and this checkout's .venv (make setup). Stops where a vulnerability is known or nobody
# could be asked; UNAUDITED=1 goes on when nobody could.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${1:?the image without a tag}
version=$(.venv/bin/onbehalf --version)
version=${version##* }
base=${PYTHON_IMAGE:-python:3.13-slim}

grep -q "^## $version - " CHANGELOG.md || { echo "CHANGELOG.md has no release $version"; exit 1; }
.venv/bin/python -m deploy.audit || { code=$?; [[ $code -eq 3 && -n ${UNAUDITED:-} ]] || exit "$code"; }

# A tag moves; what was looked at does not.
digest=$(docker buildx imagetools inspect "$base" --format '{{.Manifest.Digest}}')
docker buildx build --file deploy/Dockerfile --build-arg "PYTHON_IMAGE=${base%%@*}@$digest" --tag "$image:$version" \
    --sbom=true --provenance=true --metadata-file build.json --push .
built=$(python3 -c 'import json; print(json.load(open("build.json"))["containerimage.digest"])')
(cd deploy/kubernetes && kustomize edit set image "onbehalf=$image@$built")
echo "$image:$version is pinned in deploy/kubernetes; for compose: ONBEHALF_IMAGE=$image@$built"
