package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newSubscriptionDelete(a *app) *cobra.Command {
	return a.ofSubscription(&cobra.Command{
		Use:   "delete NAME",
		Short: "Forget a subscription",
		Long: `Forget a subscription, how far it has come, and its dead letters. Nothing is sent once
this is answered.`,
		Example: `  varve subscription delete ops`,
	}, func(ctx context.Context, conn *client.Conn, name string) error {
		if _, err := conn.DeleteSubscription(ctx, &varvev1.DeleteSubscriptionRequest{Name: name}); err != nil {
			return err
		}
		plain := answer.SubscriptionOf(&varvev1.Subscription{Name: name}).Name
		if a.output == asJSON {
			return a.writeJSON(struct {
				Deleted string `json:"deleted"`
			}{plain})
		}
		_, err := fmt.Fprintf(a.stdout, "deleted %s\n", plain)
		return err
	})
}

func newSubscriptionPause(a *app) *cobra.Command {
	return a.ofSubscription(&cobra.Command{
		Use:   "pause NAME",
		Short: "Send nothing until a subscription is resumed",
		Long: `Send nothing until the subscription is resumed. What is recorded meanwhile is sent
then, as long as it is not pruned before.`,
		Example: `  varve subscription pause ops`,
	}, func(ctx context.Context, conn *client.Conn, name string) error {
		s, err := conn.PauseSubscription(ctx, &varvev1.PauseSubscriptionRequest{Name: name})
		if err != nil {
			return err
		}
		return a.showSubscription(s)
	})
}

func newSubscriptionResume(a *app) *cobra.Command {
	return a.ofSubscription(&cobra.Command{
		Use:   "resume NAME",
		Short: "Go on with a subscription that is paused or disabled",
		Long: `Go on with a subscription that was paused, or that was disabled because its receiver
said that it is gone, from where it is. What has failed before is tried at once.`,
		Example: `  varve subscription resume ops`,
	}, func(ctx context.Context, conn *client.Conn, name string) error {
		s, err := conn.ResumeSubscription(ctx, &varvev1.ResumeSubscriptionRequest{Name: name})
		if err != nil {
			return err
		}
		return a.showSubscription(s)
	})
}

func newSubscriptionTest(a *app) *cobra.Command {
	return a.ofSubscription(&cobra.Command{
		Use:   "test NAME",
		Short: "Send one message now, to see whether it is taken",
		Long: `Send one message now, about a made-up resource of the type Varve::Test::Resource with
the sequence 0, whatever the filter and the state of the subscription. It is neither
counted nor tried again. With exit code 1 it was not taken.`,
		Example: `  varve subscription test ops`,
	}, func(ctx context.Context, conn *client.Conn, name string) error {
		r, err := conn.TestSubscription(ctx, &varvev1.TestSubscriptionRequest{Name: name})
		if err != nil {
			return err
		}
		took := r.GetDuration().AsDuration()
		if a.output == asJSON {
			err = a.writeJSON(struct {
				ID      string  `json:"id"`
				Taken   bool    `json:"taken"`
				Seconds float64 `json:"seconds"`
				Failure string  `json:"failure,omitzero"`
			}{r.GetId(), r.GetFailure() == "", took.Seconds(), r.GetFailure()})
		} else if r.GetFailure() == "" {
			_, err = fmt.Fprintf(a.stdout, "taken within %v, as %s\n", took.Round(100*time.Microsecond), r.GetId())
		}
		if err == nil && r.GetFailure() != "" {
			a.complain("the test message was not taken: %s", r.GetFailure())
			return errReported
		}
		return err
	})
}
