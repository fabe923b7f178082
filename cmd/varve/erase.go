package main

import (
	"fmt"

	"github.com/spf13/cobra"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newErase(a *app) *cobra.Command {
	var s subject
	var version uint32
	cmd := &cobra.Command{
		Use:   "erase TYPE ID --version N",
		Short: "Destroy what one version held",
		Long: `Destroy the content of one version of a resource, such as a secret that should not
have been recorded. The version keeps its place, number, times, status and hash, so
that the history reads as before. There is no way back and no question whether
you are sure, the number says it.

Other versions of the same content are erased by their own numbers. Backups and
exports made before are not reached. No answer shows the content any more, but the
file may hold it word for word, in freed space and in samples by which it compresses
other documents, until "varve compact" writes it anew.`,
		Example: `  varve history AWS::SSM::Parameter /shop/db-password
  varve erase AWS::SSM::Parameter /shop/db-password --version 3`,
	}
	s.bind(a, cmd)
	cmd.Flags().Uint32Var(&version, "version", 0, "`NUMBER` of the version, as its history lists it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if version == 0 && cmd.Flags().Changed("version") {
			return usagef(cmd, "--version 0: versions are numbered from 1, as varve history lists them")
		}
		if version == 0 {
			return usagef(cmd, "--version is needed: the number of the version, as varve history lists it")
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		// The history knows which resource is meant, deleted ones included.
		page, err := conn.ListItemHistory(cmd.Context(), &varvev1.ListItemHistoryRequest{
			Type: s.typ, Id: s.id, Account: s.account.value(), Region: s.region.value(), PageSize: 1,
		})
		if err != nil {
			return err
		}
		if len(page.GetItems()) == 0 {
			return fmt.Errorf("%s %s has no versions", s.typ, s.id)
		}
		key := page.GetItems()[0].GetKey()
		if _, err := conn.EraseVersion(cmd.Context(), &varvev1.EraseVersionRequest{Key: key, Version: version}); err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Account string `json:"account"`
				Region  string `json:"region"`
				Type    string `json:"type"`
				ID      string `json:"id"`
				Version uint32 `json:"version"`
			}{key.GetAccount(), key.GetRegion(), key.GetType(), key.GetId(), version})
		}
		_, err = fmt.Fprintf(a.stdout, "erased v%d\n", version)
		return err
	}
	return cmd
}
