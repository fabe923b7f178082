package server

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery"
)

// Subscriptions keeps subscriptions and sends what they ask for: see
// [delivery.Deliverer].
type Subscriptions interface {
	Put(ctx context.Context, s delivery.Subscription, o delivery.PutOptions) (delivery.Status, error)
	Get(ctx context.Context, name string) (delivery.Status, error)
	List(ctx context.Context, after string, limit int) ([]delivery.Status, bool, error)
	Delete(ctx context.Context, name string) error
	Pause(ctx context.Context, name string) (delivery.Status, error)
	Resume(ctx context.Context, name string) (delivery.Status, error)
	Test(ctx context.Context, name string) (delivery.TestResult, error)
	DeadLetters(ctx context.Context, name string, after history.Seq, limit int) ([]delivery.DeadLetter, bool, error)
	Replay(ctx context.Context, name string, seqs ...history.Seq) (int, error)
}

type subscriptionService struct {
	varvev1.UnimplementedSubscriptionServiceServer
	*Server
}

// subscriptions are those of the options, if the store can keep any.
func (s *subscriptionService) subscriptions() (Subscriptions, error) {
	if s.opts.Subscriptions == nil {
		return nil, lacks("keep subscriptions")
	}
	return s.opts.Subscriptions, nil
}

func (s *subscriptionService) PutSubscription(ctx context.Context, req *varvev1.PutSubscriptionRequest) (*varvev1.Subscription, error) {
	all, err := s.subscriptions()
	if err != nil {
		return nil, err
	}
	sub, err := wire.SubscriptionFromProto("subscription", req.GetSubscription())
	if err != nil {
		return nil, err
	}
	o := delivery.PutOptions{Secret: req.Secret}
	if o.From, err = wire.FromFromProto(req); err != nil {
		return nil, err
	}
	if err := s.passed(o.From.Recorded); err != nil {
		return nil, err
	}
	now, err := all.Put(ctx, sub, o)
	return standing(now, inOurWords(err))
}

// fields are those of a definition that have another name in a message.
var fields = map[string]string{"retry_for": "retryFor", "rotate.bytes": "rotation.bytes", "rotate.keep": "rotation.keep"}

// inOurWords names the field of an error as a message does.
func inOurWords(err error) error {
	var e *history.Error
	if !errors.As(err, &e) || fields[e.Field] == "" {
		return err
	}
	named := *e
	named.Field = fields[e.Field]
	return &named
}

func (s *subscriptionService) GetSubscription(ctx context.Context, req *varvev1.GetSubscriptionRequest) (*varvev1.Subscription, error) {
	return s.of(req.GetName(), func(all Subscriptions, name string) (delivery.Status, error) { return all.Get(ctx, name) })
}

func (s *subscriptionService) PauseSubscription(ctx context.Context, req *varvev1.PauseSubscriptionRequest) (*varvev1.Subscription, error) {
	return s.of(req.GetName(), func(all Subscriptions, name string) (delivery.Status, error) { return all.Pause(ctx, name) })
}

func (s *subscriptionService) ResumeSubscription(ctx context.Context, req *varvev1.ResumeSubscriptionRequest) (*varvev1.Subscription, error) {
	return s.of(req.GetName(), func(all Subscriptions, name string) (delivery.Status, error) { return all.Resume(ctx, name) })
}

// of does something with the subscription of a resource name, and answers how it
// stands.
func (s *subscriptionService) of(name string, do func(all Subscriptions, name string) (delivery.Status, error)) (*varvev1.Subscription, error) {
	all, id, err := s.named(name)
	if err != nil {
		return nil, err
	}
	return standing(do(all, id))
}

func (s *subscriptionService) named(name string) (Subscriptions, string, error) {
	all, err := s.subscriptions()
	if err != nil {
		return nil, "", err
	}
	id, err := wire.ParseSubscriptionName("name", name)
	return all, id, err
}

func standing(s delivery.Status, err error) (*varvev1.Subscription, error) {
	if err != nil {
		return nil, err
	}
	return wire.StatusToProto(&s), nil
}

func (s *subscriptionService) ListSubscriptions(ctx context.Context, req *varvev1.ListSubscriptionsRequest) (*varvev1.ListSubscriptionsResponse, error) {
	all, err := s.subscriptions()
	if err != nil {
		return nil, err
	}
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	list, more, err := all.List(ctx, string(page.after), page.size)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListSubscriptionsResponse{Subscriptions: make([]*varvev1.Subscription, len(list))}
	for i := range list {
		resp.Subscriptions[i] = wire.StatusToProto(&list[i])
	}
	if more && len(list) > 0 {
		resp.NextPageToken = page.token(0, []byte(list[len(list)-1].Subscription.Name))
	}
	return resp, nil
}

func (s *subscriptionService) DeleteSubscription(ctx context.Context, req *varvev1.DeleteSubscriptionRequest) (*emptypb.Empty, error) {
	all, name, err := s.named(req.GetName())
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, all.Delete(ctx, name)
}

func (s *subscriptionService) TestSubscription(ctx context.Context, req *varvev1.TestSubscriptionRequest) (*varvev1.TestSubscriptionResponse, error) {
	all, name, err := s.named(req.GetName())
	if err != nil {
		return nil, err
	}
	result, err := all.Test(ctx, name)
	if err != nil {
		return nil, err
	}
	return &varvev1.TestSubscriptionResponse{Id: result.ID, Duration: durationpb.New(result.Duration), Failure: result.Failure}, nil
}

func (s *subscriptionService) ListDeadLetters(ctx context.Context, req *varvev1.ListDeadLettersRequest) (*varvev1.ListDeadLettersResponse, error) {
	all, name, err := s.named(req.GetName())
	if err != nil {
		return nil, err
	}
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	var after uint64
	if len(page.after) > 0 {
		after, _ = binary.Uvarint(page.after) // whose checksum holds
	}
	list, more, err := all.DeadLetters(ctx, name, history.Seq(after), page.size)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListDeadLettersResponse{DeadLetters: make([]*varvev1.DeadLetter, len(list))}
	for i := range list {
		resp.DeadLetters[i] = wire.DeadLetterToProto(&list[i])
	}
	if more && len(list) > 0 {
		resp.NextPageToken = page.token(0, binary.AppendUvarint(nil, uint64(list[len(list)-1].Seq)))
	}
	return resp, nil
}

func (s *subscriptionService) ReplayDeadLetters(ctx context.Context, req *varvev1.ReplayDeadLettersRequest) (*varvev1.ReplayDeadLettersResponse, error) {
	all, name, err := s.named(req.GetName())
	if err != nil {
		return nil, err
	}
	seqs := make([]history.Seq, len(req.GetSequences()))
	for i, seq := range req.GetSequences() {
		seqs[i] = history.Seq(seq)
	}
	switch {
	case len(seqs) == 0 && !req.GetAll():
		return nil, &history.Error{Kind: history.Invalid, Field: "sequences", Text: "is empty; name the dead letters to replay, or set all"}
	case len(seqs) > 0 && req.GetAll():
		return nil, &history.Error{Kind: history.Invalid, Field: "all", Text: "does not go with sequences; give one of both"}
	case len(seqs) > maxPage:
		return nil, &history.Error{Kind: history.TooLarge, Field: "sequences", Value: strconv.Itoa(len(seqs)),
			Text: "are too many; name " + strconv.Itoa(maxPage) + " at a time, or set all"}
	}
	replayed, err := all.Replay(ctx, name, seqs...)
	if err != nil {
		return nil, err
	}
	return &varvev1.ReplayDeadLettersResponse{Replayed: wire.Uint32(uint64(max(replayed, 0)))}, nil
}
