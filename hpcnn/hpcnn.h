// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// All of hpcnn that needs no compiled library: maths, filters, networks,
// augmentation, the ring, the loop. Highway's headers and -pthread are enough.
// What reads and writes files is hpcnn/io.h.

#ifndef HPCNN_HPCNN_H_
#define HPCNN_HPCNN_H_

#include "hpcnn/augment/noise.h"
#include "hpcnn/augment/pipeline.h"
#include "hpcnn/augment/rotate.h"
#include "hpcnn/augment/shift.h"
#include "hpcnn/augment/skew.h"
#include "hpcnn/base/arena.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "hpcnn/concurrency/mpsc_ring.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/data/dataset.h"
#include "hpcnn/data/sampler.h"
#include "hpcnn/data/split.h"
#include "hpcnn/data/synthetic_digits.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/convolve.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/smoothing.h"
#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"
#include "hpcnn/loader/batch_loader.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/softmax.h"
#include "hpcnn/nn/summary.h"
#include "hpcnn/ops/conv2d.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemm_epilogue.h"
#include "hpcnn/ops/gemv.h"
#include "hpcnn/ops/gram.h"
#include "hpcnn/ops/reduce.h"
#include "hpcnn/ops/softmax.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/schedule.h"
#include "hpcnn/optim/sgd.h"
#include "hpcnn/train/evaluate.h"
#include "hpcnn/train/fit.h"
#include "hpcnn/train/predictor.h"
#include "hpcnn/train/trainer.h"

#endif  // HPCNN_HPCNN_H_
