#!/usr/bin/env bash
# Builds what checks deploy/ from the sources of its projects, as the Go module proxy has them and its checksum database knows them.
#   build-tools.sh FOLDER    programs go into FOLDER/bin; a few minutes, and 2 GB of module cache
set -euo pipefail

HELM=v3.22.0
KUBECONFORM=v0.8.0
COMPOSE=v2.40.3

command -v go >/dev/null || { echo "missing: Go 1.25 or newer, for helm, kubeconform and docker-compose - https://go.dev/dl" >&2; exit 2; }
mkdir -p "$1/bin"
folder=$(cd "$1" && pwd)
export GOBIN=$folder/bin GOFLAGS=-buildvcs=false
echo "building helm, kubeconform and docker-compose"
go install -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@$HELM"
go install -ldflags='-s -w' "github.com/yannh/kubeconform/cmd/kubeconform@$KUBECONFORM"
# it excludes versions of other modules, which `go install` of a version refuses
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
go mod init build 2>/dev/null
go get -tool "github.com/docker/compose/v2/cmd@$COMPOSE" 2>/dev/null
go build -ldflags='-s -w' -o "$folder/bin/docker-compose" github.com/docker/compose/v2/cmd
