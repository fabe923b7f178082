package main

import "github.com/varvehq/varve/cmd/internal/when"

const rootHelp = `Varve records what every resource of your infrastructure looked like, and answers
for any moment: what was it like then, what changed, who did it, what existed.

  varve demo                      see it at work, nothing is installed
  varve serve --data DIR          start the daemon
  varve import FILE…              record what files tell
  varve get TYPE ID --at -3d      ask

A resource has a TYPE (AWS::EC2::SecurityGroup, Kubernetes::apps::Deployment,
aws_instance) and an ID; where several accounts or regions have one of that name,
--account and --region tell them apart. An ID may begin with a dash.

Questions have two times. --at is the moment the answer is about. --known-at is
the moment at which it might have been given: "what did we believe on the day of
the audit". With both, the answer is the same for ever.

A TIME is
  ` + when.Forms + `.

Exit codes: 0 done; 1 answered no, or part was refused (not found, rejected lines,
damage found); 2 the command line is wrong, or the daemon cannot be reached.`
