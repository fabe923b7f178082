// Package words helps people with words: those they misspelt, and those that say how
// to write what a program reads.
package words

import (
	"slices"
	"strings"
)

// listed is how many words a remedy lists.
const listed = 12

// Remedy ends a sentence about a word that is not known: with the one that was
// probably meant, else with those that there are.
func Remedy(word string, known []string) string {
	if best := Nearest(word, known); best != "" {
		return "; did you mean " + best + "?"
	}
	if len(known) == 0 {
		return "; there are none"
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(known)))
	if len(sorted) > listed {
		return "; there are " + strings.Join(sorted[:listed], ", ") + " and others"
	}
	return "; there are " + strings.Join(sorted, ", ")
}

// Nearest is the known word that is spelt most like a word, whatever its case;
// empty if none is much like it.
func Nearest(word string, known []string) string {
	best, least := "", 1+max(2, len(word)/3)
	for _, k := range known {
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// Distance is the number of bytes to insert, drop or replace between two words.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
