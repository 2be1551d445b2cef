// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A picture to filter when none is at hand: edges in every direction, soft and
// hard, wide and narrow, and handwriting. The same bytes on every machine.

#ifndef HPCNN_TOOLS_FILTER_TEST_PICTURE_H_
#define HPCNN_TOOLS_FILTER_TEST_PICTURE_H_

#include "tools/filter/picture.h"

namespace hpcnn::filter {

GrayImage DrawTestPicture();

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_TEST_PICTURE_H_
