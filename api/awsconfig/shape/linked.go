package shape

type DeleteServiceLinkedConfigurationRecorderInput struct {
	ServicePrincipal string `aws:"ServicePrincipal,required" check:"len=1..128" pattern:"[\\w+=,.@-]+"`
	ARN              string `aws:"Arn"`
}

type DeleteServiceLinkedConfigurationRecorderOutput struct {
	ARN  string `aws:"Arn"`
	Name string `aws:"Name"`
}

type PutServiceLinkedConfigurationRecorderInput struct {
	ServicePrincipal string `aws:"ServicePrincipal,required" check:"len=1..128" pattern:"[\\w+=,.@-]+"`
	Tags             []Tag  `aws:"Tags" check:"items=0..50"`
}

type PutServiceLinkedConfigurationRecorderOutput struct {
	ARN  string `aws:"Arn"`
	Name string `aws:"Name"`
}

type PutThirdPartyServiceLinkedConfigurationRecorderInput struct {
	ConnectorARN       string              `aws:"ConnectorArn,required"`
	ScopeConfiguration *ScopeConfiguration `aws:"ScopeConfiguration,required"`
	ServicePrincipal   string              `aws:"ServicePrincipal,required" check:"len=1..128" pattern:"[\\w+=,.@-]+"`
	Tags               []Tag               `aws:"Tags" check:"items=0..50"`
}

type ScopeConfiguration struct {
	AllRegions      bool     `aws:"allRegions"`
	IncludedRegions []string `aws:"includedRegions"`
	ScopeType       string   `aws:"scopeType"`
	ScopeValues     []string `aws:"scopeValues"`
}

type PutThirdPartyServiceLinkedConfigurationRecorderOutput struct {
	ARN  string `aws:"Arn"`
	Name string `aws:"Name"`
}
