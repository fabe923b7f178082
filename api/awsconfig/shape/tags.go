package shape

type ListTagsForResourceInput struct {
	ResourceARN string `aws:"ResourceArn,required" check:"len=1..1000"`
	Limit       int32  `aws:"Limit"` // InvalidLimitException, not a limit of the shape
	NextToken   string `aws:"NextToken"`
}

type ListTagsForResourceOutput struct {
	Tags      []Tag  `aws:"Tags,always"`
	NextToken string `aws:"NextToken"`
}

type TagResourceInput struct {
	ResourceARN string `aws:"ResourceArn,required" check:"len=1..1000"`
	Tags        []Tag  `aws:"Tags,required" check:"items=1..50"`
}

type UntagResourceInput struct {
	ResourceARN string   `aws:"ResourceArn,required" check:"len=1..1000"`
	TagKeys     []string `aws:"TagKeys,required" check:"items=1..50;each.len=1..128"`
}
