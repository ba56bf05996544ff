//go:build tools

// Package tools names the command whose version go.mod pins.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
