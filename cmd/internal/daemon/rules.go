package daemon

import (
	"context"
	"errors"
	"log/slog"

	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/recorded"
)

// startRules makes the engine that evaluates rules, and lets it follow the store. It
// reads after what was committed, so nobody who records waits for it. A store that
// keeps no documents has no rules.
func (d *Daemon) startRules(ctx context.Context) error {
	store, ok := d.store.(engine.Store)
	if !ok {
		return nil
	}
	d.shelf = recorded.New(d.store)
	d.shelf.Managed = d.o.Managed
	d.renewPacks(ctx)
	e, err := engine.New(ctx, engine.Options{
		Store: store, Language: managed.Language{}, Graph: around{}, Now: d.o.Now, Logger: d.o.Logger.With("part", "rules"),
	})
	if errors.Is(err, history.DataLoss) { // all else can be told nevertheless
		d.o.Logger.Error("no rules are evaluated: which there are cannot be read", "part", "rules", "err", err)
		d.noRules = unread(err)
		return nil
	}
	if err != nil {
		return err
	}
	d.engine = e
	following, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := e.Run(following); err != nil {
			d.o.Logger.Error("rules are no longer evaluated", "err", err)
		}
	}()
	d.stopRules = func() {
		stop()
		<-done
	}
	return nil
}

// unread tells those who ask for rules why there are none, and what is damaged.
func unread(err error) error {
	told := history.Error{Text: "a stored value is damaged; run varve verify"}
	if e := (*history.Error)(nil); errors.As(err, &e) {
		told = *e
	}
	told.Kind, told.Text = history.DataLoss, "no rules are evaluated, since which there are cannot be read: "+told.Text
	return &told
}

// renewPacks puts packs again that another version of the program has put, where this
// one makes something else of them.
func (d *Daemon) renewPacks(ctx context.Context) {
	log := d.o.Logger.With("part", "rules")
	list, err := d.shelf.Renew(ctx)
	for i := range list {
		one := &list[i]
		pack := slog.Group("pack", "name", one.Name, "account", one.Owner.Account, "region", one.Owner.Region)
		if one.Err != nil {
			log.Warn("a conformance pack cannot be loaded by this version, and stays as it was put", pack, "err", one.Err)
			continue
		}
		log.Info("a conformance pack was put again, since this version makes something else of it", pack,
			"now judged", one.Begun, "no longer judged", one.Ended, "judged otherwise", one.Changed, "unsupported", one.Unsupported)
	}
	if err != nil {
		log.Error("conformance packs may not be as this version has them; the next start tries again", "err", err)
	}
}

// compliance is what the doors ask about rules; nil: there are none.
func (d *Daemon) compliance() *server.Compliance {
	if d.engine == nil {
		return nil
	}
	return &server.Compliance{
		Engine: d.engine, Shelf: d.shelf, Graph: around{}, Linker: graph.NewLinker(), Prepare: d.recorder.Prepare,
	}
}

// around shows rules who uses what.
type around struct{}

// Related implements engine.Graph.
func (around) Related(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	a, err := graph.At(r).Around(ctx, k, graph.Outgoing)
	return engine.Neighbours(a), err
}

// Referrers implements engine.Graph.
func (around) Referrers(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	a, err := graph.At(r).Around(ctx, k, graph.Incoming)
	return engine.Neighbours(a), err
}

// Touched implements engine.Graph.
func (around) Touched(k history.Key, before, after *history.State) []string {
	return graph.Touched(k, before, after)
}
