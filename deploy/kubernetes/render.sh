#!/usr/bin/env bash
# Renders arthur.yaml from the chart, without its hooks: whoever applies plain manifests has the schema migrated by the pods themselves.
set -euo pipefail
cd "$(dirname "$0")"
helm=$(command -v helm || echo ../../.deploy-tools/bin/helm)
{
    echo "# Everything there is, rendered from deploy/helm/arthur with values.yaml beside this file by \`make manifests\`; do not edit."
    "$helm" template arthur ../helm/arthur --kube-version 1.37.0 --no-hooks --values values.yaml
} >arthur.yaml.new
mv arthur.yaml.new arthur.yaml
