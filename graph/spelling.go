package graph

import (
	"embed"
	"strings"

	"github.com/varvehq/varve/history"
)

// Spelling is no part of the tables that are read with: it changes no claim, and
// hence no index.
//
//go:embed spelling.tsv
var spellingFile embed.FS

// spelt is an edge as a version of its owner shows it.
type spelt struct {
	owner, target string
	edge          declared
}

// spellings are the names that AWS Config gives to edges.
var spellings = func() map[spelt]string {
	rows, err := readTable(spellingFile, "spelling.tsv", 5, 5)
	if err != nil {
		panic(err)
	}
	names := make(map[spelt]string, len(rows))
	for i := range rows {
		c := rows[i].cells
		of := spelt{c[0], c[2], theTables.meaning(c[0], c[1], c[2])}
		if names[of] != "" || c[4] != "seen" && c[4] != "told" {
			panic(rows[i].errorf("the edge is there twice, or is neither seen nor told"))
		}
		names[of] = c[1] + " " + c[3]
	}
	return names
}()

// AsDeclared are the relationships that AWS Config would declare in a version of
// one of its types, by its own rules and in its spelling: those of them that the
// version's configuration shows. They are a set as in a State in normal form. It
// depends on nothing but the arguments and the tables; see Extract for s.
//
// A target that is named by its ARN or short name has a ResourceName and no ID,
// as with AWS. What AWS derives from the configuration of the target, such as the
// instances of a security group, is not among them.
func AsDeclared(k history.Key, s *history.State) []history.Relationship {
	if speaks[k.Type] == nil {
		return nil
	}
	c := Extract(k, s)
	var told history.State
	for i := range c.References {
		r := &c.References[i]
		target := r.Term.Parts()
		if target.Identifier != "" {
			target = ofARN(k.Type, target.Identifier)
		}
		name := spellings[spelt{k.Type, target.Type, declared{r.Name, r.Inverse}}]
		if name == "" {
			continue
		}
		told.Relationships = append(told.Relationships, history.Relationship{
			Name: name, Type: target.Type, ID: target.ID, ResourceName: target.ResourceName,
		})
	}
	told.Normalize()
	return told.Relationships
}

// speaks are the types that have a spelling, with those of their targets.
var speaks = func() map[string][]string {
	targets := map[string][]string{}
	for s := range spellings {
		targets[s.owner] = append(targets[s.owner], s.target)
	}
	return targets
}()

// ofARN tells which of the targets of an owner's type an ARN names, as AWS Config
// does: those of IAM by their names, for their ids are others, all others by the
// ARN itself. It is nothing if the ARN is of no such type.
func ofARN(owner, arn string) Parts {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return Parts{}
	}
	service, resource := parts[2], parts[5]
	for _, typ := range speaks[owner] {
		word := strings.Split(typ, "::")
		if len(word) != 3 || strings.ToLower(word[1]) != service || !strings.HasPrefix(resource, strings.ToLower(word[2])+"/") {
			continue
		}
		if service == "iam" {
			return Parts{Type: typ, ResourceName: resource[strings.LastIndexByte(resource, '/')+1:]}
		}
		return Parts{Type: typ, ID: arn}
	}
	return Parts{}
}
