package awsconfig

import (
	"context"
	"errors"
	"net/url"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// ruleStates is the collection of what was asked of rules through this door, by
// rule. It is about the answers of this door and no part of the history.
const ruleStates = "aws/rule"

// ruleState is what was asked of one rule.
type ruleState struct {
	Started history.Moment `json:"started,omitzero"` // its evaluation, last

	// Withdrawn says that results recorded up to this revision are not shown, unless
	// they are evaluated anew: see judged.withdrawn.
	Withdrawn   history.Revision `json:"withdrawn,omitzero"`
	WithdrawnAt history.Moment   `json:"withdrawnAt,omitzero"`
}

func stateName(o rules.Owner, recorded string) string {
	return url.QueryEscape(o.Account) + "/" + url.QueryEscape(o.Region) + "/" + recorded
}

// documents are where this door keeps what it has to remember.
func (d *Door) documents() history.Documents { return d.o.Rules.Documents }

// ruleStates reads the states of all rules of which something was asked, by
// stateName.
func (d *Door) ruleStates(ctx context.Context) (map[string]ruleState, error) {
	list, _, err := d.documents().Documents(ctx, ruleStates, "", 0)
	if err != nil {
		return nil, err
	}
	all := make(map[string]ruleState, len(list))
	for i := range list {
		if all[list[i].Name], err = readState(&list[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readState(doc *history.Document) (ruleState, error) {
	var s ruleState
	err := readDocument(doc, &s)
	return s, err
}

// changeState changes what is known of a rule, as a whole even where another does
// so at the same time. An error of change is returned as it is.
func (d *Door) changeState(ctx context.Context, r *ruleSeen, change func(*ruleState) error) error {
	name := stateName(r.Owner, r.Recorded())
	for {
		var s ruleState
		doc, err := d.documents().Document(ctx, ruleStates, name)
		switch {
		case errors.Is(err, history.NotFound):
		case err != nil:
			return err
		default:
			if s, err = readState(&doc); err != nil {
				return err
			}
		}
		if err := change(&s); err != nil {
			return err
		}
		body, err := json.Marshal(s)
		if err != nil {
			return err
		}
		_, err = d.documents().PutDocuments(ctx, []history.DocumentWrite{{Collection: ruleStates, Name: name, Body: body, Expect: &doc.Revision}})
		if !errors.Is(err, history.Conflict) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// forgetRule drops what is known of a rule that is deleted.
func (d *Door) forgetRule(ctx context.Context, r *ruleSeen) error {
	_, err := d.documents().PutDocuments(ctx, []history.DocumentWrite{{Collection: ruleStates, Name: stateName(r.Owner, r.Recorded())}})
	return err
}
