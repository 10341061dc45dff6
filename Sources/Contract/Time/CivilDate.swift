/// Days and dates of the proleptic Gregorian calendar, day numbers after Howard Hinnant's chrono-compatible algorithms.
package enum CivilDate {
  /// The day's number since 1970-01-01.
  package static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = shiftedYear.flooredQuotientAndRemainder(dividingBy: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The date of a day that is numbered since 1970-01-01; after Cassio Neri and Lorenz Schneider, "Euclidean affine
  /// functions and their application to calendar algorithms" (2022), which needs no division but by constants of 32 bits.
  ///
  /// - Parameter day: of the years −32,800 to 2,900,000, about; others are clamped.
  package static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Counted from a first of March 82 times 400 years before the year 0, so that it is not negative.
    let number = UInt32(truncatingIfNeeded: min(max(day &+ 12_699_422, 0), 1 << 30 &- 1))
    let quarters = 4 &* number | 3
    let century = quarters / 146_097
    let quartersOfCentury = quarters % 146_097 | 3
    let product = 2_939_745 &* UInt64(quartersOfCentury)
    let yearOfCentury = UInt32(truncatingIfNeeded: product >> 32)
    let dayOfYear = UInt32(truncatingIfNeeded: product) / 2_939_745 / 4
    let affine = 2_141 &* dayOfYear &+ 197_913
    // January and February belong to the year that began in March.
    let isNextYear: UInt32 = dayOfYear >= 306 ? 1 : 0
    return (
      Int64(100 &* century &+ yearOfCentury &+ isNextYear) &- 32_800,
      Int64((affine >> 16) &- 12 &* isNextYear), Int64((affine & 0xFFFF) / 2_141 &+ 1)
    )
  }

  /// The number of days of a month, 1 to 12.
  package static func days(inMonth month: Int64, ofYear year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension Int64 {
  /// Quotient and remainder of a division that rounds down: the remainder is never negative.
  package func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
