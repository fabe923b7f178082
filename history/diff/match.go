package diff

// none stands for an element without a partner.
const none = -1

// A matching says which elements of two arrays are the same thing.
type matching struct {
	partner []int  // for every element of after, the index in before, or none
	kept    []bool // for every element of before, whether it has a partner
	moved   bool   // partners that are the same beyond doubt changed places

	namesBefore, namesAfter []string // what identifies the elements, if something does
}

func (m *matching) pair(i, j int) {
	m.partner[j] = i
	m.kept[i] = true
}

func (m *matching) nameBefore(i int) string { return nameAt(m.namesBefore, i) }
func (m *matching) nameAfter(j int) string  { return nameAt(m.namesAfter, j) }

func nameAt(names []string, i int) string {
	if names == nil {
		return ""
	}
	return names[i]
}

// match finds the partners of the array at the current path.
func (v *viewer) match(before, after []value) *matching {
	m := &matching{partner: make([]int, len(after)), kept: make([]bool, len(before))}
	for j := range m.partner {
		m.partner[j] = none
	}
	if names, ok := v.identify(before, after); ok {
		m.namesBefore, m.namesAfter = names[:len(before)], names[len(before):]
		m.byName()
	} else {
		m.byContent(before, after)
	}
	return m
}

// byName pairs elements of equal identity.
func (m *matching) byName() {
	at := make(map[string]int, len(m.namesBefore))
	for i, name := range m.namesBefore {
		at[name] = i
	}
	highest := none
	for j, name := range m.namesAfter {
		i, ok := at[name]
		if !ok {
			continue
		}
		m.pair(i, j)
		m.moved = m.moved || i < highest
		highest = max(highest, i)
	}
}

// byContent pairs equal elements, each once, and then what is alike of the rest.
//
// Elements moved if everything has a partner (the arrays differ, so the order
// does), or if two which occur once on both sides changed their order. In other
// cases equal elements leave it open which of them went where.
func (m *matching) byContent(before, after []value) {
	start, endA, endB := 0, len(before), len(after)
	for start < min(endA, endB) && before[start].text() == after[start].text() {
		m.pair(start, start)
		start++
	}
	for start < min(endA, endB) && before[endA-1].text() == after[endB-1].text() {
		endA, endB = endA-1, endB-1
		m.pair(endA, endB)
	}

	places := map[string][]int{} // of the elements of before, by their text
	for i := start; i < endA; i++ {
		places[before[i].text()] = append(places[before[i].text()], i)
	}
	times := map[string]int{}
	for j := start; j < endB; j++ {
		times[after[j].text()]++
	}

	used := map[string]int{}
	highest := none
	var aloneA, aloneB []int
	for j := start; j < endB; j++ {
		text := after[j].text()
		n := used[text]
		if n == len(places[text]) {
			aloneB = append(aloneB, j)
			continue
		}
		i := places[text][n]
		used[text]++
		m.pair(i, j)
		if len(places[text]) == 1 && times[text] == 1 {
			m.moved = m.moved || i < highest
			highest = max(highest, i)
		}
	}
	for i := start; i < endA; i++ {
		if !m.kept[i] {
			aloneA = append(aloneA, i)
		}
	}
	if len(aloneA) == 0 && len(aloneB) == 0 {
		m.moved = true
		return
	}
	m.byLikeness(before, after, aloneA, aloneB)
}
