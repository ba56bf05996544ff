//go:build tools

// Package tools names the command whose version go.mod pins.
package tools

import _ "oras.land/oras/cmd/oras"
