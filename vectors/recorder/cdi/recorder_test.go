package recorder

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// TestRecord answers the cases of the file CASES, JSON Lines, into the file ANSWERS. It is a test since virtual
// time (testing/synctest) is to be had in tests only.
func TestRecord(t *testing.T) {
	from, err := os.Open(os.Getenv("CASES"))
	must(err)
	to, err := os.Create(os.Getenv("ANSWERS"))
	must(err)
	serveProgress()
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<24)
	out := bufio.NewWriter(to)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for lines.Scan() {
		var it Case
		must(json.Unmarshal(lines.Bytes(), &it))
		it.record(t)
		must(encoder.Encode(&it))
	}
	must(lines.Err())
	must(out.Flush())
	must(to.Close())
}

// record asks twice: with caches that lag behind the reconcile's own writes, and with such that do not.
func (c *Case) record(t *testing.T) {
	c.Expect, c.Fresh = c.at(t, true), c.at(t, false)
	if reflect.DeepEqual(c.Expect, c.Fresh) {
		c.Fresh = nil
	}
}

func (c *Case) at(t *testing.T, old bool) (answer *answer) {
	now, err := time.Parse(time.RFC3339, c.Now)
	must(err)
	synctest.Test(t, func(*testing.T) {
		time.Sleep(time.Until(now))
		answer = c.reconcile(old)
	})
	return answer
}
