package awsconfig

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/conformance"
)

// packHandlers answer about conformance packs.
func (d *Door) packHandlers() []handler {
	return []handler{
		on("PutConformancePack", d.putConformancePack),
		on("DescribeConformancePacks", d.describeConformancePacks),
		on("DescribeConformancePackStatus", d.describeConformancePackStatus),
		on("DeleteConformancePack", d.deleteConformancePack),
		on("DescribeConformancePackCompliance", d.describeConformancePackCompliance),
		on("GetConformancePackComplianceDetails", d.getConformancePackComplianceDetails),
		on("GetConformancePackComplianceSummary", d.getConformancePackComplianceSummary),
		on("ListConformancePackComplianceScores", d.listConformancePackComplianceScores),
	}
}

// packsPage is how many packs a page has at most.
const packsPage = 20

func (d *Door) describeConformancePacks(ctx context.Context, c Caller, in *shape.DescribeConformancePacksInput) (*shape.DescribeConformancePacksOutput, error) {
	p, err := d.packsPaged(ctx, c, in, in.Limit, in.NextToken, in.ConformancePackNames)
	if err != nil {
		return nil, err
	}
	if err := p.seen.all(in.ConformancePackNames); err != nil {
		return nil, err
	}
	out := &shape.DescribeConformancePacksOutput{NextToken: p.next}
	for _, one := range p.list {
		out.ConformancePackDetails = append(out.ConformancePackDetails, one.shaped(c))
	}
	return out, nil
}

// describeConformancePackStatus passes over names of no pack, as AWS Config does, which
// has no exception for them here.
func (d *Door) describeConformancePackStatus(ctx context.Context, c Caller, in *shape.DescribeConformancePackStatusInput) (*shape.DescribeConformancePackStatusOutput, error) {
	p, err := d.packsPaged(ctx, c, in, in.Limit, in.NextToken, in.ConformancePackNames)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeConformancePackStatusOutput{NextToken: p.next}
	for _, one := range p.list {
		out.ConformancePackStatusDetails = append(out.ConformancePackStatusDetails, one.status(c))
	}
	return out, nil
}

// packPage is a page of packs, and the token for the one after it.
type packPage struct {
	seen *packsSeen
	list []*packSeen
	next string
	at   history.Reader
}

// packsPaged is the page of the packs of these names, or of all, that a question asks
// for.
func (d *Door) packsPaged(ctx context.Context, c Caller, question any, limit int32, token string, names []string) (*packPage, error) {
	most, err := entries(limit, packsPage, packsPage)
	if err != nil {
		return nil, err
	}
	at, err := resume(c, question, token)
	if err != nil {
		return nil, err
	}
	p := &packPage{}
	if p.at, err = d.reader(ctx, at); err != nil {
		return nil, err
	}
	if p.seen, err = d.packsSeen(ctx, c, p.at, names); err != nil {
		return nil, err
	}
	for _, one := range p.seen.list {
		switch {
		case one.Name <= at.after:
		case len(p.list) == most:
			p.next = next(c, question, cursor{known: p.at.At().Known, after: p.list[most-1].Name})
			return p, nil
		default:
			p.list = append(p.list, one)
		}
	}
	return p, nil
}

// shaped is the pack as AWS Config describes it.
func (p *packSeen) shaped(c Caller) shape.ConformancePackDetail {
	out := shape.ConformancePackDetail{
		ConformancePackName: p.Name, ConformancePackARN: p.arn(c), ConformancePackID: p.id(),
		DeliveryS3Bucket: p.delivery.Bucket, DeliveryS3KeyPrefix: p.delivery.KeyPrefix,
		LastUpdateRequestedTime: p.PutAt,
	}
	for i := range p.Parameters {
		if one := &p.Parameters[i]; one.Given && one.Value != nil {
			out.ConformancePackInputParameters = append(out.ConformancePackInputParameters, shape.ConformancePackInputParameter{ParameterName: one.Name, ParameterValue: *one.Value})
		}
	}
	return out
}

// status is complete always: a pack is put as a whole, or not at all.
func (p *packSeen) status(c Caller) shape.ConformancePackStatusDetail {
	return shape.ConformancePackStatusDetail{
		ConformancePackName: p.Name, ConformancePackARN: p.arn(c), ConformancePackID: p.id(),
		ConformancePackState: "CREATE_COMPLETE", ConformancePackStatusReason: p.unjudged(), StackARN: p.stackARN(c),
		LastUpdateRequestedTime: p.PutAt, LastUpdateCompletedTime: p.PutAt,
	}
}

// stackARN is that of the stack of which AWS Config would make the pack.
func (p *packSeen) stackARN(c Caller) string {
	return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/awsconfigconforms-%s-%s/%s", cmp.Or(p.Owner.Region, c.Region), cmp.Or(p.Owner.Account, c.Account),
		p.Name, p.id(), uuid.NewSHA1(uuid.NameSpaceURL, []byte(p.arn(c))))
}

// mostReason is how many characters the reason of a status has at most.
const mostReason = 2000

// unjudged says which rules of the pack are not judged, and why; empty: all are.
func (p *packSeen) unjudged() string {
	if p.lost != nil {
		return "The pack cannot be read: " + p.lost.Error()
	}
	var list []string
	for i := range p.Rules {
		if r := &p.Rules[i]; r.State == conformance.Unsupported {
			list = append(list, r.Name+" ("+r.Reason+")")
		}
	}
	slices.Sort(list)
	if len(list) == 0 {
		return ""
	}
	text := fmt.Sprintf("%d of %d rules are not judged, and have INSUFFICIENT_DATA: ", len(list), len(p.Rules))
	for i, one := range list {
		rest := fmt.Sprintf("and %d more", len(list)-i)
		if i+1 == len(list) {
			rest = ""
		}
		if utf8.RuneCountInString(text+one+"; "+rest) > mostReason {
			return text + fmt.Sprintf("and %d more", len(list)-i)
		}
		text += one + "; "
	}
	return strings.TrimSuffix(text, "; ")
}
