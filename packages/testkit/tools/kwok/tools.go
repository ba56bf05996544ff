//go:build tools

// Package tools names the command whose version go.mod pins.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
