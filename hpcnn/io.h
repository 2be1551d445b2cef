// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// All of hpcnn that knows bytes on disk. Needs Abseil, zlib and, unlike
// hpcnn/hpcnn.h, one compiled file of its own: hpcnn/io/image_file.cc.

#ifndef HPCNN_IO_H_
#define HPCNN_IO_H_

#include "hpcnn/data/mnist.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/gzip.h"
#include "hpcnn/io/idx.h"
#include "hpcnn/io/image_file.h"
#include "hpcnn/io/npy.h"
#include "hpcnn/io/sha256.h"

#endif  // HPCNN_IO_H_
