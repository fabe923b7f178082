package report

import (
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type jsonReport struct {
	Through jsonThrough  `json:"evaluatedThrough"`
	Results []jsonResult `json:"results"`
}

type jsonThrough struct {
	Position string `json:"position"`
	Time     string `json:"time"`
}

type jsonResult struct {
	Rule       string `json:"rule"`
	Account    string `json:"account"`
	Region     string `json:"region"`
	Type       string `json:"type"`
	ID         string `json:"id"`
	Compliance string `json:"compliance"`
	Annotation string `json:"annotation"`
	Since      string `json:"since"`
	FirstSeen  string `json:"firstSeen"`
	Waived     bool   `json:"waived"`
}

// writeJSON writes the members that scripts rely on, each in every result.
func writeJSON(w io.Writer, r *Report) error {
	out := jsonReport{
		Through: jsonThrough{r.Through.Position, r.Through.Time.String()},
		Results: make([]jsonResult, len(r.Results)),
	}
	for i, in := range r.Results {
		out.Results[i] = jsonResult{
			Rule: in.Rule, Account: in.Resource.Account, Region: in.Resource.Region, Type: in.Resource.Type, ID: in.Resource.ID,
			Compliance: string(in.Compliance), Annotation: in.Annotation,
			Since: in.Since.String(), FirstSeen: in.FirstSeen.String(), Waived: in.Waived != nil,
		}
	}
	return encode(w, out)
}

// encode writes indented JSON that ends its last line.
func encode(w io.Writer, v any) error {
	e := jsontext.NewEncoder(w, jsontext.WithIndent("  "))
	return json.MarshalEncode(e, v)
}
