//go:build tools

// Package tools names the command whose version go.mod pins.
package tools

import _ "github.com/fluxcd/source-controller"
