package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/token"
)

// access says how to be let in: a flag wins over the environment, and there the
// token itself over the file that holds it.
func (a *app) access() (client.Access, error) {
	access := client.Access{Token: strings.TrimSpace(os.Getenv("VARVE_TOKEN")), CAFile: a.caFile}
	if access.CAFile == "" {
		access.CAFile = os.Getenv("VARVE_CA_FILE")
	} else if !strings.HasPrefix(a.addr, "https://") {
		return access, fmt.Errorf("--ca-file goes with an address of https://HOST:PORT, but that is %s", a.addr)
	}
	file, from := a.tokenFile, "--token-file"
	if file == "" && access.Token == "" {
		file, from = os.Getenv("VARVE_TOKEN_FILE"), "VARVE_TOKEN_FILE"
	}
	if file == "" {
		return access, nil
	}
	tokens, err := token.Read(file)
	if err != nil {
		return access, fmt.Errorf("%s %w", from, err)
	}
	access.Token = tokens[0].Text // of several, as while they are rotated, the first
	return access, nil
}
