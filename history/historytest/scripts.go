package historytest

// Sightings: unchanged observations are evidence without a version.
var sightingScripts = []script{
	{
		name:    "AddsNoVersionAndNoPosition",
		do:      "A@1 A@4",
		history: "v1 A@1..4",
		feed:    "v1 created",
	}, {
		name:    "OfAnOlderVersionStaysThere",
		do:      "A@1 B@6 A@3",
		history: "v1 A@1..3 v2 B@6",
		feed:    "v1 created, v2 updated",
	}, {
		name:    "BetweenTwoSightingsChangesNothing",
		do:      "A@1 A@9 A@5",
		history: "v1 A@1..9",
		feed:    "v1 created",
	}, {
		name:    "OfTheSameMomentIsKeptOnce",
		do:      "A@1 A@4 A@4 A@1",
		history: "v1 A@1..4",
		feed:    "v1 created",
	}, {
		name:    "WitnessesTheStateItWasEqualTo",
		do:      "A@1 A@3 B@2 B@4",
		history: "v1 A@1 v2 B@2 v3 A@3 v4 B@4",
		feed:    "v1 created, v2 updated late, v4 updated",
	}, {
		name:    "OfADeletionIsEvidenceToo",
		do:      "A@1 -@3 -@9 B@5",
		history: "v1 A@1 v2 -@3 v3 B@5 v4 -@9",
		feed:    "v1 created, v2 deleted, v3 created late",
	},
}

// Late captures: the order of arrival never matters.
var lateScripts = []script{
	{
		name:    "BeforeEverythingIsCreated",
		do:      "B@5 A@1",
		history: "v2 A@1 v1 B@5",
		feed:    "v1 created, v2 created late",
	}, {
		name:    "BetweenTwoVersionsIsPlacedThere",
		do:      "A@1 B@6 C@3",
		history: "v1 A@1 v3 C@3 v2 B@6",
		feed:    "v1 created, v2 updated, v3 updated late",
	}, {
		name:    "SplitsARunAtItsLaterEvidence",
		do:      "A@1 A@4 B@6 C@2",
		history: "v1 A@1 v3 C@2 v4 A@4 v2 B@6",
		feed:    "v1 created, v2 updated, v3 updated late",
	}, {
		name:    "ResumesAtTheEarliestEvidenceAfterIt",
		do:      "A@1 A@9 A@5 A@7 C@3",
		history: "v1 A@1 v2 C@3 v3 A@5..9",
		feed:    "v1 created, v2 updated late",
	}, {
		name:    "LeavesEvidenceBeforeItWithTheSplitRun",
		do:      "A@1 A@2 A@3 A@9 C@5",
		history: "v1 A@1..3 v2 C@5 v3 A@9",
		feed:    "v1 created, v2 updated late",
	}, {
		name:    "SplitsAResumedRunAgain",
		do:      "A@1 A@4 A@8 C@2 C@6",
		history: "v1 A@1 v2 C@2 v3 A@4 v4 C@6 v5 A@8",
		feed:    "v1 created, v2 updated late, v4 updated late",
	}, {
		name:    "DoesNotResumeWithoutLaterEvidence",
		do:      "A@1 A@3 B@9 C@5",
		history: "v1 A@1..3 v3 C@5 v2 B@9",
		feed:    "v1 created, v2 updated, v3 updated late",
	}, {
		name:    "ExtendsARunBackwards",
		do:      "A@4 A@2",
		history: "v2 A@2..4",
		feed:    "v1 created, v2 created late",
	}, {
		name:    "ExtendsAnInnerRunBackwards",
		do:      "A@1 B@6 B@8 B@3",
		history: "v1 A@1 v3 B@3..8",
		feed:    "v1 created, v2 updated, v3 updated late",
	}, {
		name:    "ExtendsBackwardsTwice",
		do:      "A@9 A@5 A@2",
		history: "v3 A@2..9",
		feed:    "v1 created, v2 created late, v3 created late",
	}, {
		name:    "SplitsAnExtendedRunAtItsFirstBegin",
		do:      "A@4 A@2 C@3",
		history: "v2 A@2 v3 C@3 v4 A@4",
		feed:    "v1 created, v2 created late, v3 updated late",
	}, {
		name:    "ExtendsAResumedRunBackwards",
		do:      "A@1 A@8 C@3 A@6",
		history: "v1 A@1 v2 C@3 v4 A@6..8",
		feed:    "v1 created, v2 updated late, v4 updated late",
	}, {
		name:    "ReturnsKeepTheirPlaces",
		do:      "A@5 B@4 A@3 B@2 A@1",
		history: "v5 A@1 v4 B@2 v3 A@3 v2 B@4 v1 A@5",
		feed:    "v1 created, v2 created late, v3 created late, v4 created late, v5 created late",
	}, {
		name:    "JustAfterAndJustBeforeItsNeighbours",
		do:      "A@1 A@3 B@2 A@2",
		history: "v1 A@1 v2 B@2 v4 A@2..3",
		feed:    "v1 created, v2 updated late, v4 updated late",
	},
}

// Several states of one captured moment: the only place where the order of
// arrival shows.
var sameMomentScripts = []script{
	{
		name:    "LaterRevisionWins",
		do:      "A@3 B@3",
		history: "v1 A@3 v2 B@3",
		feed:    "v1 created, v2 updated",
	}, {
		name:    "EqualToTheWinnerIsUnchanged",
		do:      "A@3 B@3 B@3",
		history: "v1 A@3 v2 B@3",
		feed:    "v1 created, v2 updated",
	}, {
		name:    "EqualToAnyIsUnchanged",
		do:      "A@3 B@3 A@3",
		history: "v1 A@3 v2 B@3",
		feed:    "v1 created, v2 updated",
	}, {
		name:    "EqualToASightingIsUnchanged",
		do:      "A@1 A@3 B@3 A@3",
		history: "v1 A@1..3 v2 B@3",
		feed:    "v1 created, v2 updated",
	}, {
		name:    "EveryStateIsAVersion",
		do:      "A@3 B@3 C@3",
		history: "v1 A@3 v2 B@3 v3 C@3",
		feed:    "v1 created, v2 updated, v3 updated",
	}, {
		name:    "ReturnOfTheStateBeforeIsAVersion",
		do:      "A@1 B@5 A@5",
		history: "v1 A@1 v2 B@5 v3 A@5",
		feed:    "v1 created, v2 updated, v3 updated",
	}, {
		name:    "AtASightingBeginsAfterIt",
		do:      "A@1 A@5 A@9 B@5",
		history: "v1 A@1..5 v2 B@5 v3 A@9",
		feed:    "v1 created, v2 updated late",
	}, {
		name:    "ThirdStateAfterASightingAndAVersion",
		do:      "A@1 A@5 B@5 C@5",
		history: "v1 A@1..5 v2 B@5 v3 C@5",
		feed:    "v1 created, v2 updated, v3 updated",
	}, {
		name:    "LateCaptureExtendsTheFirstOfATieBackwards",
		do:      "A@5 B@5 A@3",
		history: "v3 A@3..5 v2 B@5",
		feed:    "v1 created, v2 updated, v3 created late",
	}, {
		name:    "LateCaptureBeforeATieLeavesItsOrder",
		do:      "A@5 B@5 B@3",
		history: "v3 B@3 v1 A@5 v2 B@5",
		feed:    "v1 created, v2 updated, v3 created late",
	}, {
		name:    "LateCaptureResumesWithATie",
		do:      "A@1 A@5 B@5 B@3",
		history: "v1 A@1 v3 B@3 v4 A@5 v2 B@5",
		feed:    "v1 created, v2 updated, v3 updated late",
	}, {
		name:    "DeletionAndRecreation",
		do:      "A@1 -@3 B@3",
		history: "v1 A@1 v2 -@3 v3 B@3",
		feed:    "v1 created, v2 deleted, v3 created",
		status:  "ResourceDiscovered ResourceDeleted ResourceDiscovered",
	}, {
		name:    "StateThenDeletionIsGone",
		do:      "B@3 -@3",
		history: "v1 B@3 v2 -@3",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "ThirdStateExtendsTheNextRunBackwards",
		do:      "A@3 B@7 B@3",
		history: "v1 A@3 v3 B@3..7",
		feed:    "v1 created, v2 updated, v3 updated late",
	},
}

// Deletions that sources tell.
var deletionScripts = []script{
	{
		name:    "IsAVersion",
		do:      "A@1 -@3",
		history: "v1 A@1 v2 -@3",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "RepeatedIsASighting",
		do:      "A@1 -@3 -@4",
		history: "v1 A@1 v2 -@3..4",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "OfAnUnknownResourceIsKept",
		do:      "-@3",
		history: "v1 -@3",
		feed:    "v1 deleted",
	}, {
		name:    "CreationMayComeLater",
		do:      "-@3 A@1",
		history: "v2 A@1 v1 -@3",
		feed:    "v1 deleted, v2 created late",
	}, {
		name:    "ThenRecreated",
		do:      "A@1 -@3 A@5",
		history: "v1 A@1 v2 -@3 v3 A@5",
		feed:    "v1 created, v2 deleted, v3 created",
	}, {
		name:    "LateSplitsALiveRun",
		do:      "A@1 A@9 -@5",
		history: "v1 A@1 v2 -@5 v3 A@9",
		feed:    "v1 created, v2 deleted late",
		status:  "ResourceDiscovered ResourceDeleted ResourceDiscovered",
	}, {
		name:    "LateExtendsADeletionBackwards",
		do:      "A@1 -@9 -@5",
		history: "v1 A@1 v3 -@5..9",
		feed:    "v1 created, v2 deleted, v3 deleted late",
	}, {
		name:    "WithAnotherStatusIsAnotherState",
		do:      "A@1 -@3 x@5",
		history: "v1 A@1 v2 -@3 v3 x@5",
		feed:    "v1 created, v2 deleted, v3 deleted",
	},
}

// Statuses: given or derived.
var statusScripts = []script{
	{
		name:    "DerivedDiscoveredOKDeleted",
		do:      "A@1 B@2 -@3 C@4 A@5",
		history: "v1 A@1 v2 B@2 v3 -@3 v4 C@4 v5 A@5",
		status:  "ResourceDiscovered OK ResourceDeleted ResourceDiscovered OK",
	}, {
		name:    "DerivedFollowsCapturedTimeNotArrival",
		do:      "B@5 A@1",
		history: "v2 A@1 v1 B@5",
		status:  "ResourceDiscovered OK",
	}, {
		name:    "DerivedAfterALateDeletion",
		do:      "A@1 B@5 -@3",
		history: "v1 A@1 v3 -@3 v2 B@5",
		status:  "ResourceDiscovered ResourceDeleted ResourceDiscovered",
	}, {
		name:    "DerivedAfterADeletionOfARun",
		do:      "A@1 B@5 [3]",
		history: "v1 A@1 v3 -@3 v2 B@5",
		status:  "ResourceDiscovered ResourceDeleted ResourceDiscovered",
	}, {
		name:    "GivenIsKept",
		do:      "o@1 n@2 x@3",
		history: "v1 o@1 v2 n@2 v3 x@3",
		status:  "OK ResourceNotRecorded ResourceDeletedNotRecorded",
	}, {
		name:    "GivenIsResumedWithItsState",
		do:      "n@1 n@9 A@5",
		history: "v1 n@1 v2 A@5 v3 n@9",
		status:  "ResourceNotRecorded OK ResourceNotRecorded",
	}, {
		name:    "GivenIsAliveForWhatFollows",
		do:      "n@1 A@2",
		history: "v1 n@1 v2 A@2",
		status:  "ResourceNotRecorded OK",
	},
}

// Collection runs: absence is evidence.
var runScripts = []script{
	{
		name:    "DeletesWhatItDidNotSee",
		do:      "A@1 b:A@1 [5 b:A@5]",
		history: "v1 A@1 v2 -@5",
		other:   "v1 A@1..5",
		feed:    "v1 created, b:v1 created, v2 deleted",
		status:  "ResourceDiscovered ResourceDeleted",
	}, {
		name:    "SeenAtAnotherMomentIsKept",
		do:      "A@1 [5 A@6]",
		history: "v1 A@1..6",
	}, {
		name:    "SeenBeforeItsMomentIsKept",
		do:      "A@1 [5 A@3]",
		history: "v1 A@1..3",
	}, {
		name:    "SeenDeletedIsNotDeletedAgain",
		do:      "A@1 [5 -@4]",
		history: "v1 A@1 v2 -@4",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "NotYetBornIsLeftAlone",
		do:      "A@7 [5]",
		history: "v1 A@7",
		feed:    "v1 created",
	}, {
		name:    "DeletedBeforeIsLeftAlone",
		do:      "A@1 -@3 [5]",
		history: "v1 A@1 v2 -@3",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "CapturedAtExactlyTheMomentIsKept",
		do:      "A@1 A@5 [5]",
		history: "v1 A@1..5",
		feed:    "v1 created",
	}, {
		name:    "ChangedAtExactlyTheMomentIsKept",
		do:      "A@1 B@5 [5]",
		history: "v1 A@1 v2 B@5",
		feed:    "v1 created, v2 updated",
	}, {
		name:    "EvidenceAfterTheMomentIsARecreation",
		do:      "A@1 A@7 [5]",
		history: "v1 A@1 v2 -@5 v3 A@7",
		feed:    "v1 created, v2 deleted late",
		status:  "ResourceDiscovered ResourceDeleted ResourceDiscovered",
	}, {
		name:    "EvidenceAfterTheMomentIsARecreationWheneverItArrives",
		do:      "A@1 [5] A@7",
		history: "v1 A@1 v2 -@5 v3 A@7",
		feed:    "v1 created, v2 deleted, v3 created",
		status:  "ResourceDiscovered ResourceDeleted ResourceDiscovered",
	}, {
		name:    "LaterVersionBecomesARecreation",
		do:      "A@1 B@7 [5]",
		history: "v1 A@1 v3 -@5 v2 B@7",
		feed:    "v1 created, v2 updated, v3 deleted late",
		status:  "ResourceDiscovered ResourceDeleted ResourceDiscovered",
	}, {
		name:    "LateCaptureBeforeMomentOfUnseenResourceIsDeleted",
		do:      "b:A@1 [5 b:A@5] A@2",
		history: "v1 A@2 v2 -@5",
		feed:    "b:v1 created, v1 created, v2 deleted",
	}, {
		name:    "LateCaptureBeforeMomentOfSeenResourceIsNotDeleted",
		do:      "[5 A@5] B@2",
		history: "v2 B@2 v1 A@5",
		feed:    "v1 created, v2 created late",
	}, {
		name:    "LateCaptureBeforeMomentOfOneSeenLaterIsNotDeleted",
		do:      "[5 A@6] B@2",
		history: "v2 B@2 v1 A@6",
		feed:    "v1 created, v2 created late",
	}, {
		name:    "LateCaptureBeforeMomentKeepsTheDeletion",
		do:      "A@1 [5] B@3",
		history: "v1 A@1 v3 B@3 v2 -@5",
		feed:    "v1 created, v2 deleted, v3 updated late",
	}, {
		name:    "LateCaptureBetweenOlderEvidenceKeepsTheDeletion",
		do:      "A@1 A@3 [5] C@2",
		history: "v1 A@1 v3 C@2 v4 A@3 v2 -@5",
		feed:    "v1 created, v2 deleted, v3 updated late",
	}, {
		name:    "LateSightingBeforeMomentKeepsTheDeletion",
		do:      "A@1 [5] A@3",
		history: "v1 A@1..3 v2 -@5",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "LateCaptureOfADeletedOneReachesTheNextMissedMoment",
		do:      "A@1 -@3 [8] B@5",
		history: "v1 A@1 v2 -@3 v3 B@5 v4 -@8",
		feed:    "v1 created, v2 deleted, v3 created, v4 deleted",
	}, {
		name:    "LateCaptureBetweenTwoMissedMomentsDiesAtTheSecond",
		do:      "A@1 [5] [8] B@6",
		history: "v1 A@1 v2 -@5 v3 B@6 v4 -@8",
		feed:    "v1 created, v2 deleted, v3 created, v4 deleted",
	}, {
		name:    "LateCaptureBeforeTwoMissedMomentsDiesAtTheFirst",
		do:      "[5] [8] A@2",
		history: "v1 A@2 v2 -@5",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "LateCaptureAtExactlyTheMomentTakesTheDeletionAway",
		do:      "A@1 [5] B@5",
		history: "v1 A@1 v3 B@5",
		feed:    "v1 created, v2 deleted, v3 updated",
		status:  "ResourceDiscovered OK",
	}, {
		name:    "LateEqualCaptureAtExactlyTheMomentJoins",
		do:      "A@1 [5] A@5",
		history: "v3 A@1..5",
		feed:    "v1 created, v2 deleted, v3 updated",
		status:  "ResourceDiscovered",
	}, {
		name:    "LateEqualCaptureAtExactlyTheMomentJoinsTwoRuns",
		do:      "A@1 [5] A@7 A@5",
		history: "v4 A@1..7",
		feed:    "v1 created, v2 deleted, v3 created, v4 updated late",
	}, {
		name:    "LateEqualCaptureAtTheMomentDiesAtTheNextMissedOne",
		do:      "A@1 [5] [8] A@5",
		history: "v3 A@1..5 v4 -@8",
		feed:    "v1 created, v2 deleted, v3 updated, v4 deleted",
	}, {
		name:    "LateCaptureAtTheMomentDiesAtTheNextMissedOne",
		do:      "A@1 [5] [8] B@5",
		history: "v1 A@1 v3 B@5 v4 -@8",
		feed:    "v1 created, v2 deleted, v3 updated, v4 deleted",
	}, {
		name:    "JoinedRunIsSplitWhereItBegan",
		do:      "A@1 [5] A@5 C@1",
		history: "v3 A@1 v4 C@1 v5 A@5",
		feed:    "v1 created, v2 deleted, v3 updated, v4 updated late",
	}, {
		name:    "JoinedRunGoesOnUntilItsOldEnd",
		do:      "A@1 [5] -@7 A@5",
		history: "v3 A@1..5 v4 -@7",
		feed:    "v1 created, v2 deleted, v3 updated late",
	}, {
		name:    "LateBareDeletionAtTheMomentIsASighting",
		do:      "A@1 [5] -@5",
		history: "v1 A@1 v2 -@5",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "WitnessedDeletionOutlastsLateCaptures",
		do:      "A@1 [5] -@5 C@3",
		history: "v1 A@1 v3 C@3 v2 -@5",
		feed:    "v1 created, v2 deleted, v3 updated late",
	}, {
		name:    "WitnessedDeletionOutlastsAStateOfItsMoment",
		do:      "A@1 [5] -@5 B@5",
		history: "v1 A@1 v2 -@5 v3 B@5",
		feed:    "v1 created, v2 deleted, v3 created",
	}, {
		name:    "WitnessedDeletionIsExtendedBackwards",
		do:      "A@1 [5] -@5 -@3",
		history: "v1 A@1 v3 -@3..5",
		feed:    "v1 created, v2 deleted, v3 deleted late",
	}, {
		name:    "LateOtherDeletionAtTheMomentTakesItsPlace",
		do:      "A@1 [5] x@5",
		history: "v1 A@1 v3 x@5",
		feed:    "v1 created, v2 deleted, v3 deleted",
	}, {
		name:    "LateDeletionBeforeTheMomentAbsorbsTheDerivedOne",
		do:      "A@1 [5] -@3",
		history: "v1 A@1 v3 -@3",
		feed:    "v1 created, v2 deleted, v3 deleted late",
	}, {
		name:    "LateOtherDeletionBeforeTheMomentTakesTheDerivedOneAway",
		do:      "A@1 [5] x@3",
		history: "v1 A@1 v3 x@3",
		feed:    "v1 created, v2 deleted, v3 deleted late",
	}, {
		name:    "DerivedDeletionAbsorbsALaterToldOne",
		do:      "A@1 -@7 [5]",
		history: "v1 A@1 v3 -@5..7",
		feed:    "v1 created, v2 deleted, v3 deleted late",
	}, {
		name:    "AbsorbedDeletionResumesAtItsEvidence",
		do:      "A@1 -@7 [5] B@6",
		history: "v1 A@1 v3 -@5 v4 B@6 v5 -@7",
		feed:    "v1 created, v2 deleted, v3 deleted late, v4 created late",
	}, {
		name:    "EarlierRunAbsorbsALaterRunsDeletion",
		do:      "A@1 [8] [5]",
		history: "v1 A@1 v3 -@5",
		feed:    "v1 created, v2 deleted, v3 deleted late",
	}, {
		name:    "AbsorbedDeletionOfARunComesBack",
		do:      "A@1 [8] [5] B@6",
		history: "v1 A@1 v3 -@5 v4 B@6 v5 -@8",
		feed:    "v1 created, v2 deleted, v3 deleted late, v4 created, v5 deleted",
	}, {
		name:    "LaterRunFindsItGoneAlready",
		do:      "A@1 [5] [8]",
		history: "v1 A@1 v2 -@5",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "SecondRunOfOneMomentAddsNothing",
		do:      "A@1 [5] [5]",
		history: "v1 A@1 v2 -@5",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "OneOfTwoRunsOfAMomentMissedIt",
		do:      "A@1 [5 A@4] [5]",
		history: "v1 A@1..4 v2 -@5",
		feed:    "v1 created, v2 deleted",
	}, {
		name:    "SplitsARunWhichResumesAtItsLaterEvidence",
		do:      "A@1 A@3 A@7 A@9 [5]",
		history: "v1 A@1..3 v2 -@5 v3 A@7..9",
		feed:    "v1 created, v2 deleted late",
	}, {
		name:    "AbortedDeletesNothing",
		do:      "A@1 [5]x",
		history: "v1 A@1",
		feed:    "v1 created",
	}, {
		name:    "AbortedIsNoEvidenceForLateCaptures",
		do:      "[5]x A@2",
		history: "v1 A@2",
		feed:    "v1 created",
	}, {
		name:    "SightingsOfAbortedRunStay",
		do:      "A@1 [5 A@5]x B@3",
		history: "v1 A@1 v2 B@3 v3 A@5",
		feed:    "v1 created, v2 updated late",
	}, {
		name:    "VersionsOfAbortedRunStay",
		do:      "A@1 [5 B@5]x",
		history: "v1 A@1 v2 B@5",
		feed:    "v1 created, v2 updated",
	}, {
		name:    "SightingsOfCompletedRunResume",
		do:      "A@1 [5 A@5] B@3",
		history: "v1 A@1 v2 B@3 v3 A@5",
		feed:    "v1 created, v2 updated late",
	},
}
