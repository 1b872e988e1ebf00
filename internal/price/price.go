// Package price bills the usage of a run at AWS's list prices. The prices and their sources are in table.go.
//
// A Usage holds one number for each Dimension that AWS bills. The functions of count.go turn a call into these numbers,
// with AWS's rounding. Two executions of 140 and 310 ms cost
//
//	u := price.Usage{price.ExpressRequest: 2}
//	u[price.ExpressGBSecond] = price.ExpressGBSeconds(140*ms, 64) + price.ExpressGBSeconds(310*ms, 64)
//	bill := price.List.Bill(u) // bill.Total(), bill.USD(price.ExpressRequest)
//
// and a million files, counted from a run of 2,000, cost price.List.Bill(u.Times(1e6 / 2000)).
//
// A bill does not deduct free tiers. It leaves out discounts, taxes, traffic that leaves the region, a customer managed
// KMS key, and all that does not depend on the number of files (alarms, dashboards, metrics).
package price

// Dimension is a kind of usage that AWS bills by the unit.
type Dimension int

// The dimensions of this system, with their units.
const (
	SQSRequest      Dimension = iota // of up to 64 KiB
	PipesRequest                     // a batch, for each 64 KiB
	StateTransition                  // a state entered
	ExpressRequest                   // an execution
	ExpressGBSecond
	LambdaRequest // a call
	LambdaGBSecond
	ReadUnit
	WriteUnit
	SNSPublish // a request of up to 64 KiB
	LogGB
	dimensions // their number
)

// Usage is the quantity of each dimension. Usages are values: they can be compared, and no method changes its receiver.
type Usage [dimensions]float64

// Times multiplies a usage.
func (u Usage) Times(n float64) Usage {
	for d := range u {
		u[d] *= n
	}
	return u
}

// Tier is the price of the units above the tier before it, up to its own bound.
type Tier struct {
	Upto float64 // units in a month; 0: no bound
	USD  float64 // for one unit
}

// Table is a price list: the tiers of each dimension, rising, the last without a bound.
type Table [dimensions][]Tier

// Bill is the price of a usage in USD, by dimension.
type Bill [dimensions]float64

// Total is the sum of all dimensions.
func (b Bill) Total() float64 {
	sum := 0.0
	for _, usd := range b {
		sum += usd
	}
	return sum
}

// USD is the sum of these dimensions.
func (b Bill) USD(of ...Dimension) float64 {
	sum := 0.0
	for _, d := range of {
		sum += b[d]
	}
	return sum
}

// Bill prices a usage as the account's only usage in a month: tiers begin at their first unit.
func (t Table) Bill(u Usage) (bill Bill) {
	for d, quantity := range u {
		below := 0.0
		for _, tier := range t[d] {
			units := quantity - below
			if tier.Upto > 0 {
				units = min(units, tier.Upto-below)
			}
			bill[d] += max(0, units) * tier.USD
			below = tier.Upto
		}
	}
	return bill
}
