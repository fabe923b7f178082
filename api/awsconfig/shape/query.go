package shape

type SelectResourceConfigInput struct {
	Expression string `aws:"Expression,required" check:"len=1..4096"`
	Limit      int32  `aws:"Limit" check:"range=0..100"`
	NextToken  string `aws:"NextToken"`
}

type SelectResourceConfigOutput struct {
	Results   []string   `aws:"Results,always"`
	QueryInfo *QueryInfo `aws:"QueryInfo"`
	NextToken string     `aws:"NextToken"`
}

type DeleteStoredQueryInput struct {
	QueryName string `aws:"QueryName,required" check:"len=1..64" pattern:"^[a-zA-Z0-9-_]+$"`
}

type DeleteStoredQueryOutput struct {
}

type GetStoredQueryInput struct {
	QueryName string `aws:"QueryName,required" check:"len=1..64" pattern:"^[a-zA-Z0-9-_]+$"`
}

type GetStoredQueryOutput struct {
	StoredQuery *StoredQuery `aws:"StoredQuery"`
}

type StoredQuery struct {
	QueryID     string `aws:"QueryId" check:"len=1..36" pattern:"^\\S+$"`
	QueryARN    string `aws:"QueryArn" check:"len=1..500" pattern:"^arn:aws[a-z\\-]*:config:[a-z\\-\\d]+:\\d+:stored-query/[a-zA-Z0-9-_]+/query-[a-zA-Z\\d-_/]+$"`
	QueryName   string `aws:"QueryName,required" check:"len=1..64" pattern:"^[a-zA-Z0-9-_]+$"`
	Description string `aws:"Description" check:"len=0..256" pattern:"[\\s\\S]*"`
	Expression  string `aws:"Expression" check:"len=1..4096" pattern:"[\\s\\S]*"`
}

type ListStoredQueriesInput struct {
	NextToken  string `aws:"NextToken"`
	MaxResults int32  `aws:"MaxResults" check:"range=0..100"`
}

type ListStoredQueriesOutput struct {
	StoredQueryMetadata []StoredQueryMetadata `aws:"StoredQueryMetadata,always"`
	NextToken           string                `aws:"NextToken"`
}

type StoredQueryMetadata struct {
	QueryID     string `aws:"QueryId"`
	QueryARN    string `aws:"QueryArn"`
	QueryName   string `aws:"QueryName"`
	Description string `aws:"Description"`
}

type PutStoredQueryInput struct {
	StoredQuery *StoredQuery `aws:"StoredQuery,required"`
	Tags        []Tag        `aws:"Tags" check:"items=0..50"`
}

type PutStoredQueryOutput struct {
	QueryARN string `aws:"QueryArn"`
}
