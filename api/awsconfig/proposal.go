package awsconfig

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Proposals are kept in documents, what they are about apart from what came of them,
// which lists read: for a week, and the newest thousand of an account and region.
const (
	proposals         = "aws/proposal"
	proposalResources = "aws/proposal-resource"
	proposalTokens    = "aws/proposal-token"

	proposalsKept = 7 * 24 * time.Hour
	mostProposals = 1000
	proposalsPage = 10
)

// proposal is an evaluation of a resource that is only proposed.
type proposal struct {
	ID       string           `json:"id"` // in order of time within an owner
	Mode     string           `json:"mode"`
	Started  history.Moment   `json:"started"`
	Type     string           `json:"type"`
	Resource string           `json:"resource"`
	Context  string           `json:"context,omitzero"`
	Failure  string           `json:"failure,omitzero"`
	Results  []proposalResult `json:"results,omitempty"` // by rule
	Token    string           `json:"token,omitzero"`    // the name of its document

	owner   string // of documents: begins their names
	asked   string // a hash of what was asked
	details *shape.ResourceDetails
}

// proposalResult is what one rule says of a proposal.
type proposalResult struct {
	Rule       string           `json:"rule"` // as clients know it
	Compliance rules.Compliance `json:"compliance"`
	Annotation string           `json:"annotation,omitzero"`
}

// proposalToken is what was asked with a client's token.
type proposalToken struct {
	ID    string `json:"id"`
	Asked string `json:"asked"`
}

// documentPrefix begins the names of a caller's documents.
func (c Caller) documentPrefix() string {
	return url.QueryEscape(c.Account) + "/" + url.QueryEscape(c.Region) + "/"
}

func newProposal(c Caller, in *shape.StartResourceEvaluationInput, now history.Moment) (*proposal, error) {
	p := &proposal{
		ID: timedID(now), Mode: in.EvaluationMode, Started: now, Type: in.ResourceDetails.ResourceType, Resource: in.ResourceDetails.ResourceID,
		owner: c.documentPrefix(), details: in.ResourceDetails,
	}
	if in.EvaluationContext != nil {
		p.Context = in.EvaluationContext.EvaluationContextIdentifier
	}
	if in.ClientToken == "" {
		return p, nil
	}
	p.Token = p.owner + hashText(in.ClientToken)
	asked := *in
	asked.ClientToken = ""
	text, err := shape.Encode(&asked)
	p.asked = hashText(string(text))
	return p, err
}

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// timedID is a UUID of version 7: they are in the order of their milliseconds.
func timedID(at history.Moment) string {
	id := uuid.New()
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(at)/1000) //nolint:gosec // moments are not negative
	copy(id[:6], millis[2:])
	id[6] = id[6]&0x0f | 0x70
	return id.String()
}

// proposedBefore is the id of what was proposed with the same token; empty: nothing
// was. IdempotentParameterMismatch if it was something else.
func (d *Door) proposedBefore(ctx context.Context, p *proposal) (string, error) {
	if p.Token == "" {
		return "", nil
	}
	doc, err := d.documents().Document(ctx, proposalTokens, p.Token)
	if err != nil {
		return "", ignore(err, history.NotFound)
	}
	var t proposalToken
	if err := readDocument(&doc, &t); err != nil {
		return "", err
	}
	if t.Asked != p.asked {
		return "", refuse("IdempotentParameterMismatch", "The clientToken was given with another request before; give another one")
	}
	return t.ID, nil
}

func readDocument(doc *history.Document, into any) error {
	if err := json.Unmarshal(doc.Body, into); err != nil {
		return &history.Error{Kind: history.DataLoss, Field: doc.Collection + "/" + doc.Name, Text: "cannot be read", Err: err}
	}
	return nil
}

// keepProposal writes a proposal, and drops those that are kept no longer. It returns
// the id: that of another with the same token, where that one was faster.
func (d *Door) keepProposal(ctx context.Context, p *proposal) (string, error) {
	writes, err := d.outlived(ctx, p)
	if err != nil {
		return "", err
	}
	body, err1 := json.Marshal(p)
	resource, err2 := shape.Encode(p.details)
	if err := cmp.Or(err1, err2); err != nil {
		return "", err
	}
	writes = append(writes,
		history.DocumentWrite{Collection: proposals, Name: p.owner + p.ID, Body: body},
		history.DocumentWrite{Collection: proposalResources, Name: p.owner + p.ID, Body: resource})
	if p.Token != "" {
		token, err := json.Marshal(proposalToken{p.ID, p.asked})
		if err != nil {
			return "", err
		}
		first := uint64(0)
		writes = append(writes, history.DocumentWrite{Collection: proposalTokens, Name: p.Token, Body: token, Expect: &first})
	}
	_, err = d.documents().PutDocuments(ctx, writes)
	if errors.Is(err, history.Conflict) {
		return d.proposedBefore(ctx, p)
	}
	return p.ID, err
}

// outlived are the writes that drop what is kept no longer.
func (d *Door) outlived(ctx context.Context, p *proposal) ([]history.DocumentWrite, error) {
	list, err := d.proposalsOf(ctx, p.owner)
	if err != nil {
		return nil, err
	}
	var writes []history.DocumentWrite
	for i, old := range list {
		if old.Started+history.Moment(proposalsKept.Microseconds()) > p.Started && len(list)-i < mostProposals {
			break
		}
		writes = append(writes,
			history.DocumentWrite{Collection: proposals, Name: p.owner + old.ID},
			history.DocumentWrite{Collection: proposalResources, Name: p.owner + old.ID})
		if old.Token != "" && old.Token != p.Token {
			writes = append(writes, history.DocumentWrite{Collection: proposalTokens, Name: old.Token})
		}
	}
	return writes, nil
}

// proposalsOf are those of an owner, the oldest first.
func (d *Door) proposalsOf(ctx context.Context, owner string) ([]*proposal, error) {
	docs, _, err := d.documents().Documents(ctx, proposals, owner, mostProposals+1)
	if err != nil {
		return nil, err
	}
	var list []*proposal
	for i := range docs {
		if !strings.HasPrefix(docs[i].Name, owner) {
			break
		}
		p := &proposal{owner: owner}
		if err := readDocument(&docs[i], p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// proposals are those of a caller that are kept, the oldest first.
func (d *Door) proposals(ctx context.Context, c Caller) ([]*proposal, error) {
	list, err := d.proposalsOf(ctx, c.documentPrefix())
	for len(list) > 0 && !d.keeps(list[0]) {
		list = list[1:]
	}
	return list, err
}

func (d *Door) keeps(p *proposal) bool {
	return p.Started+history.Moment(proposalsKept.Microseconds()) > d.now()
}

// proposal is one of a caller's; nil: it is not there.
func (d *Door) proposal(ctx context.Context, c Caller, id string) (*proposal, error) {
	if _, err := uuid.Parse(id); err != nil {
		return nil, nil
	}
	p := &proposal{owner: c.documentPrefix()}
	doc, err := d.documents().Document(ctx, proposals, p.owner+id)
	if err != nil {
		return nil, ignore(err, history.NotFound)
	}
	if err := readDocument(&doc, p); err != nil || !d.keeps(p) {
		return nil, err
	}
	return p, nil
}

// proposalDetails are the resource as it was proposed.
func (d *Door) proposalDetails(ctx context.Context, p *proposal) (*shape.ResourceDetails, error) {
	doc, err := d.documents().Document(ctx, proposalResources, p.owner+p.ID)
	if err != nil {
		return nil, err
	}
	details := &shape.ResourceDetails{}
	return details, shape.Decode(doc.Body, details)
}
