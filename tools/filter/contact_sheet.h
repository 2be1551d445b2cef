// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Pictures side by side, each with its name below.

#ifndef HPCNN_TOOLS_FILTER_CONTACT_SHEET_H_
#define HPCNN_TOOLS_FILTER_CONTACT_SHEET_H_

#include <string>
#include <vector>

#include "tools/filter/picture.h"

namespace hpcnn::filter {

struct Tile {
  std::string caption;
  GrayImage picture;
};

// Three in a row. The pictures are scaled to a longer side of 193 to 384
// pixels, by a whole number, so that all lines stay as wide as others.
GrayImage ContactSheet(const std::vector<Tile>& tiles);

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_CONTACT_SHEET_H_
