package historytest

var relinkCases = []namedCase{}
