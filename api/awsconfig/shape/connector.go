package shape

import "github.com/varvehq/varve/history"

type DeleteConnectorInput struct {
	ARN string `aws:"Arn,required"`
}

type DeleteConnectorOutput struct{}

type GetConnectorInput struct {
	ARN string `aws:"Arn,required"`
}

type GetConnectorOutput struct {
	Connector *Connector `aws:"Connector"`
}

type Connector struct {
	ARN                    string                  `aws:"arn"`
	ConnectorConfiguration *ConnectorConfiguration `aws:"connectorConfiguration"`
	CreatedTime            history.Moment          `aws:"createdTime"`
	Name                   string                  `aws:"name"`
}

type ConnectorConfiguration struct {
	Azure *AzureConfiguration `aws:"azure"`
}

type AzureConfiguration struct {
	ClientIdentifier string `aws:"clientIdentifier"`
	TenantIdentifier string `aws:"tenantIdentifier"`
}

type ListConnectorsInput struct {
	Filters    []ConnectorFilter `aws:"Filters"`
	MaxResults int32             `aws:"MaxResults"`
	NextToken  string            `aws:"NextToken"`
}

type ConnectorFilter struct {
	FilterName   string   `aws:"filterName"`
	FilterValues []string `aws:"filterValues"`
}

type ListConnectorsOutput struct {
	ConnectorSummaries []ConnectorSummary `aws:"ConnectorSummaries,always"`
	NextToken          string             `aws:"NextToken"`
}

type ConnectorSummary struct {
	ARN              string         `aws:"arn"`
	CreatedTime      history.Moment `aws:"createdTime"`
	Name             string         `aws:"name"`
	Provider         string         `aws:"provider"`
	TenantIdentifier string         `aws:"tenantIdentifier"`
}

type PutConnectorInput struct {
	ConnectorConfiguration *ConnectorConfiguration `aws:"ConnectorConfiguration,required"`
	Tags                   []Tag                   `aws:"Tags" check:"items=0..50"`
}

type PutConnectorOutput struct {
	ARN string `aws:"Arn"`
}
