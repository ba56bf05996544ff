// Command kustomize-lines answers as kubectl kustomize does, for many trees of files in one process.
// Standard input holds one JSON object a line, {"files": {path: content}, "root": directory}; standard output gets
// one a line, {"yaml": text} or {"error": text}. It is built with the very modules that kubectl is built with.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"

	"sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

type order struct {
	Files map[string]string `json:"files"`
	Root  string            `json:"root"`
}

type answer struct {
	Yaml  string `json:"yaml"`
	Error string `json:"error,omitempty"`
}

func main() {
	if err := answerAll(json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answerAll(orders *json.Decoder, answers *json.Encoder) error {
	for {
		var next order
		if err := orders.Decode(&next); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		text, err := render(next)
		result := answer{Yaml: text}
		if err != nil {
			result = answer{Error: err.Error()}
		}
		if err := answers.Encode(result); err != nil {
			return err
		}
	}
}

func render(next order) (text string, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	// What one build learns of types, the next one must not know.
	openapi.ResetOpenAPI()
	files := filesys.MakeFsInMemory()
	for name, content := range next.Files {
		if err := files.WriteFile(path.Join("/", name), []byte(content)); err != nil {
			return "", err
		}
	}
	var out bytes.Buffer
	command := build.NewCmdBuild(files, &build.Help{Use: "build"}, &out)
	command.SetArgs([]string{path.Join("/", next.Root)})
	command.SetOut(io.Discard)
	command.SetErr(io.Discard)
	command.SilenceUsage = true
	err = command.Execute()
	return out.String(), err
}
