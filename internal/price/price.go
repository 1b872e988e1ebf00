// Package price bills the usage of a run at AWS's list prices. The prices and their sources are data, in table.go.
//
// A Usage holds one number for each Dimension that AWS bills. The functions of count.go turn a call into these numbers,
// with AWS's rounding. Two executions of 140 and 310 ms cost
//
//	u := price.Usage{price.ExpressRequest: 2}
//	u[price.ExpressGBSecond] = price.ExpressGBSeconds(140*ms, 64) + price.ExpressGBSeconds(310*ms, 64)
//	bill := price.List.Bill(u) // bill.Lines, bill.Total()
//
// and a million files, counted from a run of 2,000, cost price.List.Bill(u.Times(1e6 / 2000)).
//
// A bill does not deduct free tiers. It leaves out discounts, taxes, traffic that leaves the region, a customer managed
// KMS key, and all that does not depend on the number of files (alarms, dashboards, metrics).
package price

import "slices"

// Dimension is a kind of usage that AWS bills by the unit.
type Dimension int

// The dimensions of this system. The Price of each names its unit.
const (
	SQSRequest Dimension = iota
	PipesRequest
	StateTransition
	ExpressRequest
	ExpressGBSecond
	LambdaRequest
	LambdaGBSecond
	ReadUnit
	WriteUnit
	SNSPublish
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

// Price is the list price of a dimension, with its source.
type Price struct {
	Name      string // in a bill's line
	Unit      string // of the tiers' prices
	Tiers     []Tier // rising; the last has no bound
	Region    string // of the source's price
	Source    string // URL
	Published string // the date of the source, or "undated"
	Note      string // for example other published prices
}

// usd is the price of a month's quantity.
func (p Price) usd(quantity float64) float64 {
	sum, below := 0.0, 0.0
	for _, tier := range p.Tiers {
		units := quantity - below
		if tier.Upto > 0 {
			units = min(units, tier.Upto-below)
		}
		if units <= 0 {
			break
		}
		sum += units * tier.USD
		below = tier.Upto
	}
	return sum
}

// Table is a price list.
type Table [dimensions]Price

// Line is one line of a bill.
type Line struct {
	Dimension Dimension
	Name      string
	Unit      string
	Quantity  float64
	USD       float64
}

// Bill is the price of a usage, with a line for each dimension used.
type Bill struct{ Lines []Line }

// Total is the sum of all lines, in USD.
func (b Bill) Total() float64 {
	sum := 0.0
	for _, line := range b.Lines {
		sum += line.USD
	}
	return sum
}

// USD is the sum of the lines of these dimensions.
func (b Bill) USD(of ...Dimension) float64 {
	sum := 0.0
	for _, line := range b.Lines {
		if slices.Contains(of, line.Dimension) {
			sum += line.USD
		}
	}
	return sum
}

// Bill prices a usage as the account's only usage in a month: tiers begin at their first unit.
func (t Table) Bill(u Usage) Bill {
	var bill Bill
	for d, quantity := range u {
		if quantity != 0 {
			p := t[d]
			bill.Lines = append(bill.Lines, Line{Dimension: Dimension(d), Name: p.Name, Unit: p.Unit,
				Quantity: quantity, USD: p.usd(quantity)})
		}
	}
	return bill
}
