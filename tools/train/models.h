// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The networks that //tools:train knows by name.

#ifndef HPCNN_TOOLS_TRAIN_MODELS_H_
#define HPCNN_TOOLS_TRAIN_MODELS_H_

#include "hpcnn/base/percent.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"

namespace hpcnn::train {

// --model=mlp
using MlpModel =
    Sequential<Input<1, 28, 28>, Flatten, Dense<128>, Relu, Dense<10>>;

// --model=mlp-large
using MlpLargeModel = MlpOf<Relu, 784, 512, 256, 10>;

// --model=course: the network of the course texts, one sigmoid layer of 30.
using CourseModel = Mlp<784, 30, 10>;

// --model=lenet: after LeNet-5 (LeCun et al., 1998), 37 610 parameters.
using LenetModel = Sequential<Input<1, 28, 28>, Conv2d<8, 5, 5>, Relu,
                              MaxPool<2>, Conv2d<16, 5, 5>, Relu, MaxPool<2>,
                              Flatten, Dense<128>, Relu, Dense<10>>;

// --model=cnn: pairs of 3x3 convolutions, as in VGG (Simonyan & Zisserman,
// 2015), 83 322 parameters.
using CnnModel =
    Sequential<Input<1, 28, 28>, Conv2d<16, 3, 3>, Relu, Conv2d<16, 3, 3>, Relu,
               MaxPool<2>, Conv2d<32, 3, 3>, Relu, Conv2d<32, 3, 3>, Relu,
               MaxPool<2>, Flatten, Dropout<Percent<20>>, Dense<128>, Relu,
               Dropout<Percent<20>>, Dense<10>>;

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_MODELS_H_
