# SPDX-License-Identifier: Apache-2.0
"""The servers of the cluster, each in a folder and on loopback ports of its own."""
