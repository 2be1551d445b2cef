// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/models.h"
#include "tools/train/run.h"

namespace hpcnn::train {

template void RunNetwork<LenetModel>(const Job&);
template void RunNetwork<CnnModel>(const Job&);

}  // namespace hpcnn::train
