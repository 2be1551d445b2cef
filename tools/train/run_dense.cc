// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/models.h"
#include "tools/train/run.h"

namespace hpcnn::train {

template void RunNetwork<MlpModel>(const Job&);
template void RunNetwork<MlpLargeModel>(const Job&);
template void RunNetwork<CourseModel>(const Job&);

}  // namespace hpcnn::train
