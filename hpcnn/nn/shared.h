// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Shared<Tag, Dense<64>>: a layer that stands in several places of a network and
// has its parameters once. Tag is any type, such as struct Encoder; every place
// names the same one and gets the same input shape. The gradient is the sum of
// all places'.

#ifndef HPCNN_NN_SHARED_H_
#define HPCNN_NN_SHARED_H_

#include "hpcnn/nn/layer.h"

HPCNN_NAMESPACE_BEGIN

template <class Tag, LayerDescription Layer>
struct Shared {
  static constexpr const char* kName = Layer::kName;

  template <ShapeType In>
  struct On : Layer::template On<In> {
    using SharedTag = Tag;
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_SHARED_H_
