// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// All of hpcnn that knows bytes on disk. Needs Abseil and zlib, which
// hpcnn/hpcnn.h does not.

#ifndef HPCNN_IO_H_
#define HPCNN_IO_H_

#include "hpcnn/data/mnist.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/gzip.h"
#include "hpcnn/io/idx.h"
#include "hpcnn/io/npy.h"
#include "hpcnn/io/sha256.h"

#endif  // HPCNN_IO_H_
