package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

var csvHeader = []string{
	"rule", "owner", "severity", "account", "region", "type", "id",
	"compliance", "annotation", "since", "first_seen", "waived", "reason",
}

// writeCSV writes RFC 4180 with a line of names. Texts are as they are: one that a
// spreadsheet would take for a formula is not altered, for a program reads it back.
func writeCSV(w io.Writer, r *Report) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for i := range r.Results {
		in := &r.Results[i]
		reason := ""
		if in.Waived != nil {
			reason = in.Waived.Reason
		}
		err := out.Write([]string{
			in.Rule, strings.TrimSuffix(in.Owner.Account+"/"+in.Owner.Region, "/"), string(in.severity()),
			in.Resource.Account, in.Resource.Region, in.Resource.Type, in.Resource.ID,
			string(in.Compliance), in.Annotation, in.Since.String(), in.FirstSeen.String(),
			strconv.FormatBool(in.Waived != nil), reason,
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
