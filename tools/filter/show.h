// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Values as 256 greys, the rule of --help:
//
//   kBlack  0 is black, the largest value 255
//   kGray   0 is 128, the largest value by size 1 or 255
//
// NaN counts as 0, infinity as the largest value that is finite.

#ifndef HPCNN_TOOLS_FILTER_SHOW_H_
#define HPCNN_TOOLS_FILTER_SHOW_H_

#include <string>

#include "tools/filter/apply.h"
#include "tools/filter/picture.h"

namespace hpcnn::filter {

enum class Zero { kBlack, kGray };

// Of the values that are finite; 0 and 0 if there are none.
struct Range {
  double low = 0;
  double high = 0;
};
Range RangeOf(const Result& result);

// Where `request` with `kernel` has its zero, for results of this range.
Zero ZeroOf(const Kernel& kernel, const Request& request, const Range& range);

GrayImage Show(const Result& result, const Range& range, Zero zero);

// "0 as black (0), 1020 as white (255)".
std::string Legend(const Range& range, Zero zero);

// A picture as if it were a result, so that it can be shown.
Result AsResult(const Picture& picture);

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_SHOW_H_
