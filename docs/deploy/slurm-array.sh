#!/bin/bash
#SBATCH --job-name=dumpleak
#SBATCH --array=1-16
#SBATCH --cpus-per-task=4
#SBATCH --mem=10G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60
# Sixteen workers that end when the queue is empty. One minute before the time is up each gives back what it has.
# store.txt, readable by you alone, holds the address of the store.
dumpleak worker --drain --store-file "$HOME/store.txt" --jobs "$SLURM_CPUS_PER_TASK" --log ndjson &
worker=$!
trap 'kill -TERM "$worker"; wait "$worker"' TERM
wait "$worker"
