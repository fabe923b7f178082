package graph

import "strings"

// dialect is the manner in which documents of a resource are written, as far as
// its key tells.
type dialect uint8

const (
	dialectOther      dialect = iota
	dialectAWS                // AWS::EC2::Instance: what describe calls or AWS Config show
	dialectTemplate           // AWS::EC2::Instance or Custom::Thing in a CloudFormation template, with the id TEMPLATE#LOGICALID
	dialectKubernetes         // Kubernetes::apps::Deployment
	dialectGoogle             // compute.googleapis.com/Instance
	dialectTerraform          // aws_instance, module, data.aws_ami
)

// String is the word by which tables call a dialect.
func (d dialect) String() string {
	return [...]string{"other", "aws", "cloudformation", "kubernetes", "google", "terraform"}[d]
}

func dialectOf(typ, id string) dialect {
	vendor, _, parts := strings.Cut(typ, "::")
	switch {
	case parts && vendor == "Kubernetes":
		return dialectKubernetes
	case parts && isLogical(id):
		return dialectTemplate
	case parts && vendor == "AWS":
		return dialectAWS
	case parts:
		return dialectOther
	case strings.Contains(typ, ".googleapis.com/"):
		return dialectGoogle
	case typ == "module" || strings.HasPrefix(typ, "data.") || strings.IndexByte(typ, '_') > 0 && !strings.ContainsAny(typ, "/.:"):
		return dialectTerraform
	}
	return dialectOther
}

// isLogical reports whether an id is TEMPLATE#LOGICALID.
func isLogical(id string) bool {
	i := strings.LastIndexByte(id, '#')
	return i > 0 && isWord(id[i+1:])
}
