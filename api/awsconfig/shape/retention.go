package shape

type DeleteRetentionConfigurationInput struct {
	RetentionConfigurationName string `aws:"RetentionConfigurationName,required" check:"len=1..256" pattern:"[\\w\\-]+"`
}

type DescribeRetentionConfigurationsInput struct {
	RetentionConfigurationNames []string `aws:"RetentionConfigurationNames" check:"items=0..1;each.len=1..256" pattern:"[\\w\\-]+"`
	NextToken                   string   `aws:"NextToken"`
}

type DescribeRetentionConfigurationsOutput struct {
	RetentionConfigurations []RetentionConfiguration `aws:"RetentionConfigurations,always"`
	NextToken               string                   `aws:"NextToken"`
}

type RetentionConfiguration struct {
	Name                  string `aws:"Name"`
	RetentionPeriodInDays int32  `aws:"RetentionPeriodInDays,always"`
}

type PutRetentionConfigurationInput struct {
	RetentionPeriodInDays int32 `aws:"RetentionPeriodInDays,required" check:"range=30..2557"`
}

type PutRetentionConfigurationOutput struct {
	RetentionConfiguration *RetentionConfiguration `aws:"RetentionConfiguration"`
}
