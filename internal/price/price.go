// Package price bills what a run used at AWS's list prices. The prices and their sources are data, in table.go.
//
// A Usage counts what AWS bills, one number for each Dimension; the functions of count.go turn a call into such
// numbers, with AWS's rounding. So what two executions of different length cost is
//
//	u := price.Usage{price.ExpressRequest: 2}
//	u[price.ExpressGBSecond] = price.ExpressGBSeconds(140*time.Millisecond, 64) + price.ExpressGBSeconds(310*time.Millisecond, 64)
//	bill := price.List.Bill(u) // bill.Lines, bill.Total()
//
// and what a million files cost, counted from a run of 2,000, is price.List.Bill(u.Times(1e6 / 2000)).
//
// Not in a bill: free tiers are not deducted, and discounts, taxes, data that leaves the region, a KMS key of your own
// and what does not depend on the number of files (alarms, dashboards, metrics) are left out.
package price

import "slices"

// Dimension is something that AWS bills by the unit.
type Dimension int

// The dimensions of this system. Each Price of the table says what its unit is.
const (
	SQSRequest Dimension = iota
	SQSFIFORequest
	PipesRequest
	StateTransition
	ExpressRequest
	ExpressGBSecond
	LambdaRequest
	LambdaGBSecond
	ReadUnit
	WriteUnit
	StreamRead
	TableGBMonth
	BackupGBMonth
	SNSPublish
	LogGB
	ScheduledCall
	Trace
	dimensions // how many there are
)

// Usage is the quantity of each dimension. The zero value is no usage. Usages are values: they can be compared, and
// no method changes its receiver.
type Usage [dimensions]float64

// Plus is both usages together.
func (u Usage) Plus(other Usage) Usage {
	for d := range u {
		u[d] += other[d]
	}
	return u
}

// Times is a usage so many times over.
func (u Usage) Times(n float64) Usage {
	for d := range u {
		u[d] *= n
	}
	return u
}

// Tier is a price for the units up to a bound that the tiers below it leave.
type Tier struct {
	Upto float64 // units in a month; 0: no bound
	USD  float64 // for one unit
}

// Price is what one dimension costs, and who says so.
type Price struct {
	Name      string // as a bill's line shows it
	Unit      string // one of which the tiers' prices are for
	Tiers     []Tier // rising; the last has no bound
	Region    string // for which the source gives the price
	Source    string // where it stands
	Published string // the date of the source, or "undated"
	Note      string // what else is to know, such as another price that is published
}

// usd is what a month's quantity costs.
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

// Bill is what a usage costs, a line for each dimension that is used.
type Bill struct{ Lines []Line }

// Total is the sum of all lines, in USD.
func (b Bill) Total() float64 {
	sum := 0.0
	for _, line := range b.Lines {
		sum += line.USD
	}
	return sum
}

// USD is what the dimensions together cost.
func (b Bill) USD(of ...Dimension) float64 {
	sum := 0.0
	for _, line := range b.Lines {
		if slices.Contains(of, line.Dimension) {
			sum += line.USD
		}
	}
	return sum
}

// Bill prices a usage as if it were all that the account uses in a month: tiers begin at their first unit.
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
